import type { Objects, Standing, Written } from '../../lib/assign/apply-doors.ts';
import type { Target } from '../../lib/assign/operation.ts';
import { type AssignedObject, type AssignmentMarks, keyOf } from '../../lib/assign/snapshot.ts';
import { ApiRefusal, type World } from './world.ts';

/** When a request is about to be made, and when its answer is about to be heard. */
export type Moment = () => Promise<void>;

/** AssignedObjects without a network, on the world's API server: with its versions, and its way of losing a race. */
export class FakeObjects implements Objects {
  readonly #world: World;
  readonly #moment: Moment;
  /** What was written, as `create default/web-apps-demo`. */
  readonly written: string[] = [];
  /** Writes of these objects are refused. */
  readonly refused = new Set<string>();
  /** Under way at once, at most so far. */
  most = 0;
  #underWay = 0;

  constructor(world: World, moment: Moment = async () => undefined) {
    this.#world = world;
    this.#moment = moment;
  }

  create(target: Target, marks: AssignmentMarks): Promise<Written> {
    return this.#do('create', target, () => {
      this.#world.create({
        ...said(target),
        ...marks,
        ...place(target),
        state: 'Created',
        hasFinalizer: true,
      });
      return 'done';
    });
  }

  update(object: AssignedObject, target: Target, { state, marks }: Standing): Promise<Written> {
    const fields = { ...said(target), ...marks, state, hasFinalizer: true };
    return this.#change(`update to ${state}`, object, () => this.#world.update(object, fields));
  }

  setState(object: AssignedObject, { state, marks }: Standing): Promise<Written> {
    return this.#change(state, object, () => this.#world.update(object, { ...marks, state }));
  }

  remember(
    object: AssignedObject,
    {
      marks,
      ...copy
    }: { readonly namespace: string; readonly name: string; readonly marks: AssignmentMarks },
  ): Promise<Written> {
    return this.#change('remember', object, () => {
      const { uid: _uid, resourceVersion: _version, deleting: _deleting, ...rest } = object;
      this.#world.create({ ...rest, ...copy, ...marks, state: 'Unassigned', hasFinalizer: true });
    });
  }

  remove(object: AssignedObject): Promise<Written> {
    return this.#change('delete', object, () => {
      this.#world.delete(object);
      const marked = this.#world.objects.get(keyOf(object));
      if (marked) this.#world.update(marked, { hasFinalizer: false });
    });
  }

  #change(what: string, object: AssignedObject, act: () => void): Promise<Written> {
    return this.#do(what, object, () => {
      const now = this.#world.objects.get(keyOf(object));
      if (now?.uid !== object.uid) return 'gone';
      if (now.resourceVersion !== object.resourceVersion) return 'changed';
      act();
      return 'done';
    });
  }

  async #do(
    what: string,
    object: Pick<AssignedObject, 'namespace' | 'name'>,
    act: () => Written,
  ): Promise<Written> {
    this.#underWay += 1;
    this.most = Math.max(this.most, this.#underWay);
    try {
      await this.#moment();
      if (this.refused.has(keyOf(object))) throw new Error('an admission webhook objects');
      const written = act();
      this.written.push(`${what} ${keyOf(object)}`);
      await this.#moment();
      return written;
    } catch (error) {
      if (error instanceof ApiRefusal) return 'changed';
      throw error;
    } finally {
      this.#underWay -= 1;
    }
  }
}

function place({ namespace, name }: Target): Pick<AssignedObject, 'namespace' | 'name'> {
  return { namespace, name };
}

function said({ podNamespace, pod, node, identity, binding }: Target) {
  const [identityContent, bindingContent] = [identity.content, binding.content];
  return { podNamespace, pod, node, label: node, identity, identityContent, binding, bindingContent };
}
