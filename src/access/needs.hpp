// What a bound statement needs in privileges: a plain list, made by the engine from the plan (engine/plan_needs.hpp),
// judged by a Gate (gate.hpp), and small enough to be kept beside an answer that is to be given again.
//
// Names are the lake's, as the statement saw the lake at `schema_version`; which object a name means is decided by the
// number that the lake gave it, not by the name. Plain data.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "access/acl.hpp"

namespace boathouse::access {

// One privilege on one table or view.
struct RelationNeed {
    std::string schema;
    std::string name;
    Privilege privilege = Privilege::select;
    // On the relation as a whole; else on each of `columns`, or, where there are none, on at least one of its columns.
    bool whole = false;
    std::vector<std::string> columns;
    // Read as of an earlier version: the privilege is needed on every table that ever had the name.
    bool travelled = false;

    bool operator==(const RelationNeed&) const = default;
};

enum class ObjectKind { table, view, schema, macro };

struct OwnershipNeed {
    ObjectKind kind = ObjectKind::table;
    std::string schema;
    std::string name;  // empty for a schema

    bool operator==(const OwnershipNeed&) const = default;
};

// What a statement makes: its maker owns it once it is committed, and may use it before.
struct Made {
    ObjectKind kind = ObjectKind::table;
    std::string schema;
    std::string name;         // empty for a schema
    bool is_renamed = false;  // it was there under another name

    bool operator==(const Made&) const = default;
};

// What lies below a view is needed by the view's owner.
struct ViewNeeds {
    std::string schema;
    std::string name;
    std::vector<RelationNeed> relations;
    std::string keeper;  // as Needs::keeper

    bool operator==(const ViewNeeds&) const = default;
};

struct Needs {
    std::vector<RelationNeed> relations;
    std::vector<ViewNeeds> views;
    std::vector<OwnershipNeed> owned;
    std::vector<std::string> created_in;  // schemas in which something is made
    bool creates_schema = false;
    // Not empty: something for who keeps the lake, lake_admin: the maintenance function, or what else it is.
    std::string keeper;
    std::optional<long long> schema_version;  // of the lake; none: as it is when the needs are judged

    bool operator==(const Needs&) const = default;
    bool empty() const {
        return relations.empty() && views.empty() && owned.empty() && created_in.empty() && !creates_schema &&
               keeper.empty();
    }
};

// Why not, in PostgreSQL's words: 42501, or 55000 where nobody can tell.
struct Refusal {
    std::string sqlstate;
    std::string message;
    std::string hint = {};
};

}  // namespace boathouse::access
