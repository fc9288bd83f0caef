import { completionVerb } from './completion/completion.ts';
import { doctorVerb } from './doctor/doctor.ts';
import { explainVerb } from './explain.ts';
import { addVerb } from './objects/add.ts';
import { deleteVerb } from './objects/delete.ts';
import { exceptionAddVerb, exceptionDeleteVerb, exceptionUpdateVerb } from './objects/exception.ts';
import { exceptionListVerb, listVerb } from './objects/list.ts';
import { repairVerb } from './repair/repair.ts';
import { statusVerb } from './status.ts';
import type { Verb } from './verb.ts';

/** All that podid can do, in the order of its help. A further verb is a further row. */
export const verbs: readonly Verb[] = [
  explainVerb,
  statusVerb,
  doctorVerb,
  addVerb,
  deleteVerb,
  listVerb,
  exceptionAddVerb,
  exceptionUpdateVerb,
  exceptionDeleteVerb,
  exceptionListVerb,
  repairVerb,
  completionVerb,
];
