// boathouse.toml: flat keys, the names of the option table, and a section for each schema or table that has policies of
// its own.
//
// Read once, by load(). [policy."sales.orders"] and [policy.sales] become the one text of the option `policy`, and
// their entries' places are given under policy_origin_key(). The file is refused as a whole when it holds a secret and
// others than its owner may read it, for the secret is then no secret. Every complaint names file, line and key.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/complaint.hpp"
#include "config/settings.hpp"

namespace boathouse::config {

struct FileValue {
    std::string text;
    std::string place;  // "/etc/boathouse/boathouse.toml:12"
};

// The file's values by option key, and of policy sections; what is wrong with the file is added to `complaints`. Values
// are not yet checked against the table's bounds.
std::map<std::string, FileValue> read_file(const std::string& path, std::vector<Complaint>& complaints);

// A file that gives the settings' values of these keys, for a program that gets no environment of ours. It may hold
// secrets: keep it private.
std::string file_text(const Settings& settings, const std::vector<std::string_view>& keys);

}  // namespace boathouse::config
