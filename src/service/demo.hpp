// `boathouse-engine demo CSV_DIR`: loads the demo's tables as a client of a running box, and prints each step.
//
// What `boathouse demo` becomes once it has the files. Settings as for serve, from the environment; the user and the
// password are POSTGRES_USER's. Exit codes: 0 loaded and checked, 69 the catalog does not answer, 77 refused, 78
// configuration, 1 anything else.
#pragma once

#include <string>

namespace boathouse::service {

int demo(const std::string& csv_dir);

}  // namespace boathouse::service
