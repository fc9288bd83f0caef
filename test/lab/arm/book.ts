import type { ArmFault, ArmRecord, ArmSettings } from './types.ts';

/** What the simulator is set to, the faults in wait, and what was asked of it. */
export class Book {
  settings: ArmSettings = {
    operationMs: 0,
    style: 'operation',
    retryAfter: null,
    audiences: ['https://management.azure.com', 'https://management.core.windows.net'],
    limits: {},
  };
  records: ArmRecord[] = [];
  #faults: { readonly fault: ArmFault; left: number }[] = [];

  fault(...faults: readonly ArmFault[]): void {
    this.#faults.push(...faults.map((fault) => ({ fault, left: fault.count ?? 1 })));
  }

  clearFaults(): void {
    this.#faults = [];
  }

  /** The first fault in wait for such a request, used up by one. */
  takeFault(method: string, path: string): ArmFault | undefined {
    const entry = this.#faults.find(
      ({ fault }) =>
        (fault.method ?? method) === method && path.toLowerCase().includes((fault.path ?? '').toLowerCase()),
    );
    if (!entry) return undefined;
    entry.left -= 1;
    this.#faults = this.#faults.filter(({ left }) => left > 0);
    return entry.fault;
  }
}
