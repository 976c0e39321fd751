// The SQL that makes the mirror's objects. What comes from the lake enters it as a quoted name or a quoted text, never
// as SQL of its own: a view's and a macro's definitions are shown, not run.
//
// A Definitions borrows the connection for its rules of quoting; one thread. Nothing fails.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "catalog/connection.hpp"
#include "mirror/lake_state.hpp"

namespace boathouse::mirror {

// "integer", "numeric(10,2)[]" by type number and modifier, as PostgreSQL's format_type() writes them.
using TypeNames = std::map<std::pair<std::uint32_t, std::int32_t>, std::string>;

class Definitions {
  public:
    Definitions(const catalog::Connection& connection, const TypeNames& types)
        : connection_(connection), types_(types) {}

    // "schema"."name"
    std::string qualified(const std::string& schema, const std::string& name) const;

    // name type [NOT NULL]
    std::string column(const LakeColumn& column) const;
    std::string type(const LakeColumn& column) const;
    std::string create_table(const std::string& name, const LakeTable& table) const;
    // '' for a comment that is to be removed.
    std::string comment_on(const std::string& object, const std::string& comment) const;

    // A view of the same columns that reads nothing; the lake's definition stands in it as a text.
    std::string create_view(const std::string& name, const LakeView& view) const;

    // "p text, q text DEFAULT NULL", and "text, text" as DROP FUNCTION names them.
    std::string macro_parameters(const LakeMacro& macro) const;
    std::string macro_arguments(const LakeMacro& macro) const;
    // A function that refuses to be called, the lake's definition as a comment in its body.
    std::string create_macro(const std::string& name, const LakeMacro& macro) const;

  private:
    std::string type_name(std::uint32_t type, std::int32_t modifier) const;

    const catalog::Connection& connection_;
    const TypeNames& types_;
};

}  // namespace boathouse::mirror
