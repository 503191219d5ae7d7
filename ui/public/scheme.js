// Sets light or dark and the density before the first paint; a file of its own because no inline script may run.
(() => {
  const kept = localStorage.getItem('noria-scheme');
  const dark = kept === 'dark' || (kept !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light');
  document.documentElement.setAttribute('data-density', localStorage.getItem('noria-density') ?? 'normal');
})();
