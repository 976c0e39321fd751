// `boathouse-engine probe`: engine::probe's report as one line of JSON on standard output, for `boathouse doctor`.
//
// Exit codes: 0 when the report was made, whatever it says; 78 for settings that cannot be read.
#pragma once

namespace boathouse::service {

int probe();

}  // namespace boathouse::service
