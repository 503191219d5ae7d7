/** What the signed-in person may do in this project; the server decides, the page only does not offer. */
import { useQuery } from '@tanstack/react-query';
import { useCallback } from 'react';
import { sessionQuery } from '../api/queries';
import { useScope } from './scope';

const ORDER = ['viewer', 'editor', 'admin'] as const;
export type Role = (typeof ORDER)[number];

export function useRole(): (role: Role, where?: 'installation') => boolean {
  const { project } = useScope();
  const { data } = useQuery(sessionQuery(project));
  return useCallback(
    (role, where) => {
      const has = where === 'installation' ? data?.principal?.roles['*'] : data?.role;
      return has !== null && has !== undefined && ORDER.indexOf(has) >= ORDER.indexOf(role);
    },
    [data],
  );
}
