// A real OpenID Connect provider for the tests: `node provider.mjs PORT REDIRECT_URI`.
// Whoever signs in as NAME is NAME@example.com and a member of the group "staff"; "mallory" has an
// unverified address and "eve" is in no group.
import Provider from "oidc-provider";

const [port, redirect] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "noria test",
      client_secret: "a secret: with + and %",
      redirect_uris: [redirect],
    },
  ],
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"], groups: ["groups"] },
  scopes: ["openid", "email", "profile", "groups"],
  pkce: { required: () => true },
  findAccount: (ctx, id) => ({
    accountId: id,
    claims: () => ({
      sub: id,
      email: `${id}@example.com`,
      email_verified: id !== "mallory",
      name: id,
      groups: id === "eve" ? [] : ["staff", "everyone"],
    }),
  }),
});
provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
