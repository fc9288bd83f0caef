import type { Answers } from './answers.ts';
import { ownerIn, type RedirectRules, targetIn } from './rules.ts';

/** The redirect as it stands, as lines of its chain: one copy for each backend that holds one. */
export type Redirects = readonly (readonly string[])[];

/** Tells this agent's redirect from that of another, and a living agent from a dead one, by what stands in the kernel. */
export class Others {
  readonly #answers: Answers;
  readonly #rules: Pick<RedirectRules, 'owner' | 'targetIp'>;

  constructor(answers: Answers, rules: Pick<RedirectRules, 'owner' | 'targetIp'>) {
    this.#answers = answers;
    this.#rules = rules;
  }

  /** Whether another agent, which may well be alive, has the redirect. Nobody else can be on `port`, which is ours. */
  async have(redirects: Redirects, port: number | undefined): Promise<boolean> {
    for (const lines of redirects) {
      const owner = ownerIn(lines);
      if (owner === undefined || owner === this.#rules.owner) continue;
      if ((await this.#answer(lines, port)) !== 'no') return true;
    }
    return false;
  }

  /** Whether somebody else answers where the redirect leads, also one that does not name itself, as the original. */
  async serve(redirects: Redirects, port: number | undefined): Promise<'yes' | 'no' | 'unknown'> {
    for (const lines of redirects) {
      // Ours, out of a dump: nobody else would keep it.
      if (ownerIn(lines) === this.#rules.owner) continue;
      const answer = await this.#answer(lines, port);
      if (answer !== 'no') return answer;
    }
    return 'no';
  }

  async #answer(lines: readonly string[], port: number | undefined): Promise<'yes' | 'no' | 'unknown'> {
    const target = targetIn(lines);
    if (!target || (target.ip === this.#rules.targetIp && target.port === port)) return 'no';
    return this.#answers(target);
  }
}
