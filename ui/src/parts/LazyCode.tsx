/** The editor, fetched when it is first needed. */
import { Skeleton } from '@mantine/core';
import { type ComponentProps, lazy, Suspense } from 'react';
import type { Code } from './Code';

const Editor = lazy(() => import('./Code').then((found) => ({ default: found.Code })));

export function LazyCode(props: ComponentProps<typeof Code>) {
  return (
    <Suspense fallback={<Skeleton height={props.height ?? 120} />}>
      <Editor {...props} />
    </Suspense>
  );
}

/** JSON with its lines broken; other text as it is. */
export function pretty(text: string): string {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}
