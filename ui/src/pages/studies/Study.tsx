/** One study: the best set of parameters, what decided, and every trial with what it was measured on. */
import { IconArrowLeft } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { studyQuery, underWay } from '../../api/studies';
import { useScope } from '../../app/scope';
import { Failure } from '../../parts/Failure';
import { count } from '../../parts/format';
import { Page } from '../../parts/Page';
import { PageTabs } from '../../parts/PageTabs';
import { Status } from '../../parts/Status';
import { Id } from '../../parts/Value';
import { Findings } from './Findings';
import classes from './Studies.module.css';
import { StudyActs } from './StudyActs';
import { StudyFacts, StudyProgress } from './StudyFacts';
import { TONES } from './space';
import { Trials } from './Trials';

export function StudyPage() {
  const { id } = useParams({ from: '/shell/studies/$id' });
  const { project } = useScope();
  const { data, error, refetch } = useQuery(studyQuery(project, id));
  const back = (
    <Link to="/evaluations" search={{ tab: 'studies' } as never}>
      <IconArrowLeft size={14} /> Studies
    </Link>
  );
  if (error) {
    return (
      <Page title="Study" back={back}>
        <Failure error={error} retry={() => void refetch()} />
      </Page>
    );
  }
  const study = data?.study;
  return (
    <Page
      title={study?.name ?? 'Study'}
      back={back}
      full
      note={
        study && (
          <span className={classes.cell}>
            <Status tone={TONES[study.state]} word={study.state} /> <Id value={id} short={18} />
            {study.state === 'done' && <span>{study.message}</span>}
          </span>
        )
      }
      aside={study && <StudyActs study={study} />}
    >
      {data && study && (
        <>
          <div className={classes.head}>
            <StudyFacts study={study} />
            {underWay(study) && <StudyProgress study={study} />}
          </div>
          <PageTabs
            clear={['trial']}
            tabs={[
              {
                id: 'findings',
                label: 'Findings',
                flows: true,
                content: <Findings study={study} trials={data.trials} />,
              },
              {
                id: 'trials',
                label: `Trials ${count(data.trials.length)}`,
                content: <Trials study={study} trials={data.trials} />,
              },
            ]}
          />
        </>
      )}
    </Page>
  );
}
