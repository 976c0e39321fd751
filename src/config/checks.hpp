// The rules between values: what is missing, what contradicts, what has a form that no bound of the table can say.
//
// Called by load() once every value is in place; looks at files that are named, changes nothing.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/complaint.hpp"
#include "config/settings.hpp"

namespace boathouse::config {

// `origins` says for each option key where its value came from, for the messages.
void check(const Settings& settings, const std::map<std::string, std::string>& origins,
           std::vector<Complaint>& complaints);

}  // namespace boathouse::config
