// The rows of PostgreSQL's system catalogs that privileges are made of, read in the mirror.
//
// Each answer comes with the snapshot that PostgreSQL read it in (pg_current_snapshot()): two equal snapshots see the
// same rows, whatever database or port a change was made through, so a fact is true for as long as the snapshot is
// still the present one. has_table_privilege() and its kin answer from caches of the server's process, which follow a
// little behind the snapshot; these queries read the rows themselves.
//
// A FactReader is one connection, as boathouse_mirror; one thread at a time; blocking. Errors: those of Connection.
#pragma once

#include <optional>
#include <string>

#include "access/acl.hpp"
#include "access/needs.hpp"
#include "base/error.hpp"
#include "catalog/connection.hpp"

namespace boathouse::access {

// What the mirror shows at a moment.
struct Present {
    std::string snapshot;           // PostgreSQL's
    long long schema_version = -1;  // of the lake, as the mirror shows it; -1: not whole
};

template <typename Facts>
struct Dated {
    std::string snapshot;
    std::optional<Facts> facts;  // none: there is no such object
};

class FactReader {
  public:
    static Result<FactReader> open(const catalog::Endpoint& mirror);

    // The question for Present; the server answers it while the caller does something else.
    Status ask_present();
    Result<Present> receive_present();

    Result<Dated<RoleFacts>> role(const std::string& name);
    // By the lake's names.
    Result<Dated<RelationFacts>> relation(const std::string& schema, const std::string& name);
    Result<Dated<RelationFacts>> relation(long long number);
    Result<Dated<SchemaFacts>> schema(const std::string& name);
    // Of a macro, all of whose overloads have one owner.
    Result<Dated<SchemaFacts>> macro(const std::string& schema, const std::string& name);
    Result<Dated<SchemaFacts>> database();

  private:
    explicit FactReader(catalog::Connection connection) : connection_(std::move(connection)) {}
    template <typename Facts, typename Read>
    Result<Dated<Facts>> ask(const char* statement, const std::vector<std::optional<std::string>>& parameters,
                             Read read);

    catalog::Connection connection_;
};

}  // namespace boathouse::access
