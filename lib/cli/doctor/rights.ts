import { podKey } from '../../model/pod.ts';
import { clean } from '../../model/text.ts';
import { byHelm, installing } from '../agents/commands.ts';
import { type Access, whoCan } from './access.ts';
import type { Facts } from './facts.ts';
import { type Finding, judge, listed, type Verdict } from './finding.ts';

/** Rights that the agents and MIC need and do not have. */
export function checkRights({ access, mode }: Facts): Verdict {
  return judge({ access, mode }, (read) => {
    const missing = read.access.filter(({ allowed }) => !allowed);
    const groups = Object.groupBy(
      missing,
      ({ program, account, need }) => `${program} ${podKey(account)} ${need.without}`,
    );
    return Object.values(groups).map((group = []) => findingOf(group, read.mode.managed));
  });
}

function findingOf(missing: readonly Access[], managed: boolean): Finding {
  const [first] = missing as [Access, ...Access[]];
  const { program, account, need } = first;
  const rights = missing.map(({ need: { verb, resource, namespace, name } }) => {
    const where = namespace === undefined ? '' : ` in namespace ${clean(namespace)}`;
    return `${verb} ${resource}${name === undefined ? '' : ` ${clean(name)}`}${where}`;
  });
  return {
    severity: need.severity,
    what: `ServiceAccount ${podKey(account)} of ${program} may not: ${listed(rights)}`,
    why: `Without it ${need.without}. ${byHelm}`,
    mend: [whoCan(first), mends(first, managed)],
  };
}

function mends({ need }: Access, managed: boolean): string {
  const overlay = need.resource === 'secrets' ? 'service-principal' : managed ? 'managed' : 'standard';
  return installing(overlay);
}
