// What two PostgreSQL hold, compared: each role with its verifier and rights, and in each database each table with its
// number of rows, each sequence with its value, and how many functions, triggers and indexes there are.
//
// One thread; reads each table once, without anybody else about. As the superuser, whom no row policy hides rows from.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "catalog/connection.hpp"

namespace boathouse::upgrade {

// A name, and what there is of it; sorted.
using Contents = std::vector<std::pair<std::string, std::string>>;

Result<Contents> read_roles(catalog::Connection& superuser);
Result<Contents> read_database(catalog::Connection& superuser);

// The first that differs, in words that hold no verifier; empty where both are the same.
std::string first_difference(const Contents& before, const Contents& after);

}  // namespace boathouse::upgrade
