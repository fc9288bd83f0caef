import { V1MicroTime } from '@kubernetes/client-node';
import { AppError } from '../model/errors.ts';
import type { Connection, KubeRequest } from './connection.ts';
import type { EventRef } from './event-body.ts';
import { parsing, type Raw, record, text } from './fields.ts';
import { answerIn } from './get.ts';

/** `spec` of a coordination.k8s.io/v1 Lease. */
export interface LeaseRecord {
  /** '' when nobody holds it. */
  readonly holder: string;
  readonly durationSeconds: number;
  /** RFC 3339, by the holder's clock. */
  readonly acquireTime: string;
  readonly renewTime: string;
  /** How often it has changed hands. */
  readonly transitions: number;
}

/** A Lease as it stands: what it says, and what it takes to write it unless somebody else has. */
export interface Lease {
  readonly record: LeaseRecord;
  readonly metadata: Raw;
}

/**
 * The one Lease that candidates contend for. All throw as `Connection.json`; a write that somebody else came before rejects with
 * AppError `kube-refused`, status 409.
 */
export interface LeaseDoor {
  /** Undefined where there is none yet. */
  read(signal: AbortSignal): Promise<Lease | undefined>;
  create(record: LeaseRecord, signal: AbortSignal): Promise<Lease>;
  update(lease: Lease, record: LeaseRecord, signal: AbortSignal): Promise<Lease>;
}

const typed = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' } as const;
const maxBytes = 256 * 1024;

/**
 * That Lease in the cluster. Nothing is repeated here: the next attempt is the election's to make. The connection should be one
 * of its own, so that no other request holds a renewal up.
 */
export function leaseIn(
  connection: Connection,
  place: { readonly namespace: string; readonly name: string },
): LeaseDoor {
  const collection = `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(place.namespace)}/leases`;
  const path = `${collection}/${encodeURIComponent(place.name)}`;
  const ask = async (at: string, request: KubeRequest): Promise<Lease> =>
    parse(await connection.json(at, { ...request, maxBytes }));
  return {
    async read(signal) {
      try {
        return await ask(path, { signal });
      } catch (error) {
        if (answerIn(error).kind === 'absent') return undefined;
        throw error;
      }
    },
    create: (record, signal) =>
      ask(collection, { method: 'POST', body: { ...typed, metadata: place, spec: specOf(record) }, signal }),
    update: ({ metadata }, record, signal) =>
      ask(path, { method: 'PUT', body: { ...typed, metadata, spec: specOf(record) }, signal }),
  };
}

/** For events about it. */
export function leaseRef({ metadata }: Lease): EventRef {
  const [namespace, name, uid] = [text(metadata, 'namespace'), text(metadata, 'name'), text(metadata, 'uid')];
  return { ...typed, namespace, name, uid };
}

/** The API's MicroTime. */
export function microTime(ms: number): string {
  return new V1MicroTime(ms).toISOString();
}

function specOf({ holder, durationSeconds, acquireTime, renewTime, transitions }: LeaseRecord): Raw {
  return {
    ...(holder !== '' && { holderIdentity: holder }),
    leaseDurationSeconds: durationSeconds,
    acquireTime,
    renewTime,
    leaseTransitions: transitions,
  };
}

function parse(raw: unknown): Lease {
  const lease = parsing(raw, (object) => {
    const { managedFields: _bookkeeping, ...metadata } = record(object, 'metadata');
    const spec = record(object, 'spec');
    return {
      metadata,
      record: {
        holder: text(spec, 'holderIdentity'),
        durationSeconds: wholeNumber(spec, 'leaseDurationSeconds'),
        acquireTime: text(spec, 'acquireTime'),
        renewTime: text(spec, 'renewTime'),
        transitions: wholeNumber(spec, 'leaseTransitions'),
      },
    };
  });
  if (lease) return lease;
  throw new AppError('kube-garbled', 'the API server answered with something that is not a Lease');
}

function wholeNumber(raw: Raw, field: string): number {
  return Number.isSafeInteger(raw[field]) ? Number(raw[field]) : 0;
}
