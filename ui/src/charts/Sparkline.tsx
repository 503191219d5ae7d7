/** The last hour of one figure, without axes: for shape, not for reading. */
export function Sparkline({
  values,
  colour = '--n-accent',
  height = 28,
}: {
  values: readonly (number | null)[];
  colour?: string;
  height?: number;
}) {
  const width = 200;
  const max = Math.max(0, ...values.map((value) => value ?? 0)) || 1;
  const place = (value: number, index: number) =>
    `${((index / Math.max(1, values.length - 1)) * width).toFixed(1)} ${(height - 1 - (value / max) * (height - 3)).toFixed(1)}`;
  let path = '';
  let open = false;
  values.forEach((value, index) => {
    if (value === null) open = false;
    else {
      path += `${open ? 'L' : 'M'}${place(value, index)}`;
      // A value between gaps is a dot.
      if (!open && (values[index + 1] ?? null) === null) path += 'h0.01';
      open = true;
    }
  });
  return (
    <svg
      width="100%"
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <path
        d={path}
        fill="none"
        stroke={`var(${colour})`}
        strokeWidth="1.5"
        strokeLinecap="round"
        vectorEffect="non-scaling-stroke"
      />
    </svg>
  );
}
