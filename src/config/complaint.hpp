// What is wrong with a configuration, collected so that an operator mends all of it at once.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"

namespace boathouse::config {

struct Complaint {
    std::string missing;  // the name to set, "AWS_REGION"; empty: something is there and wrong
    std::string text;     // why it is needed, or what is wrong, where, and what to do
};

// One message of all complaints, kind configuration:
//   Missing required configuration: POSTGRES_PASSWORD, AWS_REGION
//     POSTGRES_PASSWORD: …
//     AWS_REGION: …
//   Invalid configuration:
//     …
// REQUIRES: complaints is not empty.
Error as_error(const std::vector<Complaint>& complaints);

}  // namespace boathouse::config
