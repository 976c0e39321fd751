// What the mirror shows at the moment, as it wrote it down itself in its schema pg_boathouse: which object of the lake
// stands where, under which name, with which columns.
//
// Read at the beginning of the transaction that changes it, under the mirror's lock. Plain data. Errors: those of
// Connection.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "catalog/connection.hpp"
#include "mirror/lake_state.hpp"

namespace boathouse::mirror {

struct RecordedRelation {
    long long schema = 0;
    std::string name;  // in the mirror
    std::string comment;
    std::optional<std::string> view;  // a view's whole CREATE statement
    std::vector<LakeColumn> columns;  // a table's
};

struct RecordedMacro {
    long long schema = 0;
    std::string name;
    std::vector<std::string> arguments;  // of each overload
};

struct RecordedState {
    std::optional<Snapshot> snapshot;  // none: never complete
    std::map<long long, std::string> schemas;
    std::map<long long, RecordedRelation> relations;
    std::map<long long, RecordedMacro> macros;
};

// The snapshot alone.
Result<std::optional<Snapshot>> recorded_snapshot(catalog::Connection& mirror);

// All schemas and views; of tables and macros those among `wanted`, or all where it is null.
Result<RecordedState> read_recorded_state(catalog::Connection& mirror, const std::vector<long long>* wanted);

// "{1,2,3}", an array for a parameter.
std::string array_of(const std::vector<long long>& numbers);

}  // namespace boathouse::mirror
