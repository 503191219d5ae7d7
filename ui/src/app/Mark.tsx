/** The wheel that the stream turns. */
export function Mark({ size }: { size: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 32 32"
      fill="none"
      stroke="var(--n-accent)"
      strokeLinecap="round"
      aria-hidden="true"
    >
      <circle cx="16" cy="14" r="10" strokeWidth="2.4" />
      <circle cx="16" cy="14" r="2.6" fill="var(--n-accent)" stroke="none" />
      <path d="M16 4v20M6 14h20M8.9 6.9l14.2 14.2M23.1 6.9 8.9 21.1" strokeWidth="1.5" />
      <path d="M3 27.5c2.2-2 4.3-2 6.5 0s4.3 2 6.5 0 4.3-2 6.5 0 4.3 2 6.5 0" strokeWidth="2.4" />
    </svg>
  );
}
