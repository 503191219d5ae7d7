/** New traces wait behind a button, so that nothing moves under the pointer. */
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { sinceQuery } from '../../api/queries';
import { useShortcuts } from '../../app/shortcuts';
import { count } from '../../parts/format';

export function NewRows({ project, q, onShow }: { project: string; q: string; onShow: () => void }) {
  const [position, setPosition] = useState<string | null>(null);
  const [waiting, setWaiting] = useState(0);
  const { data } = useQuery({ ...sinceQuery(project, position), refetchInterval: 2_000, staleTime: 0 });

  useEffect(() => {
    if (!data || data.position === position) return;
    setPosition(data.position);
    if (position !== null) setWaiting((before) => before + data.items.length);
  }, [data, position]);

  const show = () => {
    setWaiting(0);
    onShow();
  };
  useShortcuts([{ keys: 'r', label: 'Show what is new', group: 'Traces', run: show }]);
  if (waiting === 0) return null;
  return (
    <Button variant="light" onClick={show}>
      {/* With a filter only the server knows which of them match. */}
      {q ? 'New traces: look again' : `${count(waiting)} new`}
    </Button>
  );
}
