import { flag } from './flag.ts';
import { bool, text } from './types.ts';

const help = "klog's; accepted and without effect, since the log goes to stdout";

/** The original's logging library had these; manifests carry them. */
export const klogFlags = {
  logtostderr: flag({ flag: 'logtostderr', type: bool, default: true, help }),
  alsologtostderr: flag({ flag: 'alsologtostderr', type: bool, default: false, help }),
  stderrthreshold: flag({ flag: 'stderrthreshold', type: text, default: '', help }),
  logDir: flag({ flag: 'log_dir', type: text, default: '', help }),
  logFile: flag({ flag: 'log_file', type: text, default: '', help }),
  logFileMaxSize: flag({ flag: 'log_file_max_size', type: text, default: '', help }),
  logBacktraceAt: flag({ flag: 'log_backtrace_at', type: text, default: '', help }),
  skipHeaders: flag({ flag: 'skip_headers', type: bool, default: false, help }),
  skipLogHeaders: flag({ flag: 'skip_log_headers', type: bool, default: false, help }),
  addDirHeader: flag({ flag: 'add_dir_header', type: bool, default: false, help }),
  oneOutput: flag({ flag: 'one_output', type: bool, default: false, help }),
  vmodule: flag({ flag: 'vmodule', type: text, default: '', help }),
};
