import { type AssignedObject, type AssignmentMarks, assignmentFinalizer } from '../model/assigned-object.ts';
import { type AppError, isAppError } from '../model/errors.ts';
import {
  type Assignment,
  changedBody,
  formerBody,
  newBody,
  statePatch,
  type WrittenState,
} from './assigned-body.ts';
import { isGone, saysSame, standsAs } from './assigned-sameness.ts';
import { type Raw, strings } from './fields.ts';
import { parseAssigned } from './mic-assigned.ts';
import { isRecord, metadataOf } from './resource.ts';
import { group } from './resources.ts';
import type { Repeatable, Writer } from './writer.ts';

/**
 * What became of a write. `done`: the object is as asked, or as gone as asked. `gone`: there is no such object any more, or
 * another under its name. `changed`: it says something else than what the write was decided on, so plan anew. `pruned`: written,
 * and the API server keeps less of the copies than was written: its CRD of AzureAssignedIdentity is older than the others, and
 * writing again will not help.
 */
export type Written = 'done' | 'gone' | 'changed' | 'pruned';

/** Whose turn it is (see turns.ts), and how long the write is wanted. */
export interface Asked {
  readonly lane: string;
  readonly signal: AbortSignal;
}

/** What an object is to be. */
export interface Standing {
  readonly state: WrittenState;
  readonly marks: AssignmentMarks;
}

type Place = Pick<AssignedObject, 'namespace' | 'name'>;
type Answered = { readonly raw: Raw } | { readonly refused: AppError };

const mergePatch = 'application/merge-patch+json';
/** How often a write is decided anew because somebody else wrote in between. */
const mostRounds = 5;

/**
 * Writes AzureAssignedIdentities. Each write names the uid and the version that it was decided on; after a conflict the object is
 * read, and the write made once more where the object still says what it said. So a write never brings an object back and never
 * touches a successor of the same name, and it may be asked for twice. Throws as `Writer.send` where the API server refuses.
 */
export class AssignedObjects {
  readonly #writer: Writer;

  constructor(writer: Writer) {
    this.#writer = writer;
  }

  /** In state Created, with label and finalizer. `changed`: another object has that name. */
  create(assignment: Assignment, marks: AssignmentMarks, asked: Asked): Promise<Written> {
    return this.#post(assignment, newBody(assignment, marks), asked);
  }

  /** Everything that the object says. */
  async update(
    object: AssignedObject,
    assignment: Assignment,
    standing: Standing,
    asked: Asked,
  ): Promise<Written> {
    for (let round = 1; ; round++) {
      const fresh = await this.#read(object, asked);
      const now = parseAssigned(fresh);
      if (!fresh || isGone(now, object)) return 'gone';
      const body = changedBody(fresh, assignment, standing);
      const wanted = parseAssigned(body);
      if (standsAs(now, wanted)) return 'done';
      if (!saysSame(now, object)) return 'changed';
      const answer = await this.#try({ method: 'PUT', path: pathOf(object), body }, asked);
      if ('raw' in answer) return standsAs(parseAssigned(answer.raw), wanted) ? 'done' : 'pruned';
      giveUpAfter(round, answer.refused);
    }
  }

  /** The state and MIC's annotations. One request, where nobody else has written. */
  async setState(object: AssignedObject, { state, marks }: Standing, asked: Asked): Promise<Written> {
    let seen = object;
    for (let round = 1; ; round++) {
      const body = statePatch(seen, state, marks);
      const request = { method: 'PATCH', path: pathOf(object), body, contentType: mergePatch } as const;
      const answer = await this.#try(request, asked);
      if ('raw' in answer) return 'done';
      const now = parseAssigned(await this.#read(object, asked));
      if (isGone(now, object)) return 'gone';
      if (standsAs(now, { ...now, ...marks, state }) && saysSame({ ...now, state: object.state }, object))
        return 'done';
      if (!saysSame(now, object)) return 'changed';
      giveUpAfter(round, answer.refused);
      seen = now;
    }
  }

  /** A copy in state Unassigned under another name, for before the object forgets what it stands for. */
  async remember(
    object: AssignedObject,
    copy: Place & { readonly marks: AssignmentMarks },
    asked: Asked,
  ): Promise<Written> {
    const fresh = await this.#read(object, asked);
    const now = parseAssigned(fresh);
    if (!fresh || isGone(now, object)) return 'gone';
    if (!saysSame(now, object)) return 'changed';
    return this.#post(copy, formerBody(fresh, copy.name, copy.marks), asked);
  }

  /** DELETE, and MIC's finalizer taken off. What has another's finalizer, too, stays for that one to let go. */
  async remove(object: AssignedObject, asked: Asked): Promise<Written> {
    let raw = object.deleting ? await this.#read(object, asked) : await this.#mark(object, asked);
    for (let round = 1; ; round++) {
      if (raw === 'changed') return raw;
      const now = parseAssigned(raw);
      if (!raw || isGone(now, object) || !now.hasFinalizer) return 'done';
      const request = { method: 'PATCH', path: pathOf(object), body: release(raw) } as const;
      const answer = await this.#try({ ...request, contentType: mergePatch }, asked);
      if ('raw' in answer) return 'done';
      giveUpAfter(round, answer.refused);
      raw = await this.#read(object, asked);
    }
  }

  /** The object as it waits for its finalizers; undefined when it is gone. */
  async #mark(object: AssignedObject, asked: Asked): Promise<Raw | 'changed' | undefined> {
    let seen = object;
    for (let round = 1; ; round++) {
      const { uid, resourceVersion } = seen;
      const body = { preconditions: { uid, resourceVersion }, propagationPolicy: 'Background' };
      const answer = await this.#try({ method: 'DELETE', path: pathOf(object), body }, asked);
      if ('raw' in answer) return answer.raw;
      const raw = await this.#read(object, asked);
      const now = parseAssigned(raw);
      if (isGone(now, object) || now.deleting) return raw;
      if (!saysSame(now, object)) return 'changed';
      giveUpAfter(round, answer.refused);
      seen = now;
    }
  }

  async #post(place: Place, body: Raw, asked: Asked): Promise<Written> {
    const wanted = parseAssigned(body);
    const answer = await this.#try({ method: 'POST', path: pathOf({ ...place, name: '' }), body }, asked);
    if ('raw' in answer) return standsAs(parseAssigned(answer.raw), wanted) ? 'done' : 'pruned';
    if (answer.refused.status !== 409) throw answer.refused;
    // Ours perhaps, of an attempt whose answer was lost.
    return standsAs(parseAssigned(await this.#read(place, asked)), wanted) ? 'done' : 'changed';
  }

  /** Undefined where there is none. */
  async #read(place: Place, { lane, signal }: Asked): Promise<Raw | undefined> {
    try {
      const raw = await this.#writer.send({ path: pathOf(place), lane }, signal);
      return isRecord(raw) ? raw : undefined;
    } catch (error) {
      if (isAppError(error, 'kube-refused') && error.status === 404) return undefined;
      throw error;
    }
  }

  /** Refusals that can mean that the object is another by now: absent, another version, another uid. */
  async #try(request: Omit<Repeatable, 'lane'>, { lane, signal }: Asked): Promise<Answered> {
    try {
      const raw = await this.#writer.send({ ...request, lane }, signal);
      return { raw: isRecord(raw) ? raw : {} };
    } catch (error) {
      if (isAppError(error, 'kube-refused') && [404, 409, 422].includes(error.status ?? 0))
        return { refused: error };
      throw error;
    }
  }
}

/** The object is as it was: a conflict comes of what does not concern us, anything else is meant. */
function giveUpAfter(round: number, refused: AppError): void {
  if (round === mostRounds || refused.status === 422) throw refused;
}

function release(raw: Raw): Raw {
  const { uid, resourceVersion } = metadataOf(raw);
  const finalizers = strings(metadataOf(raw), 'finalizers').filter((each) => each !== assignmentFinalizer);
  return { metadata: { uid, resourceVersion, finalizers } };
}

function pathOf({ namespace, name }: Place): string {
  const collection = `${group}/namespaces/${encodeURIComponent(namespace)}/azureassignedidentities`;
  return name === '' ? collection : `${collection}/${encodeURIComponent(name)}`;
}
