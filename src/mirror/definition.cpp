#include "mirror/definition.hpp"

#include "base/log.hpp"
#include "mirror/names.hpp"

namespace boathouse::mirror {
namespace {

// PostgreSQL's own limits: MaxHeapAttributeNumber, and MaxTupleAttributeNumber for a view's. A wider table shows its
// first columns.
constexpr std::size_t kTableColumnsMax = 1600;
constexpr std::size_t kViewColumnsMax = 1664;
// FUNC_MAX_ARGS
constexpr std::size_t kArgumentsMax = 100;

// Each line behind "--", so that no text can be anything but a comment.
std::string commented(const std::string& text) {
    std::string lines = "-- ";
    for (const char c : text) {
        if (c == '\r') continue;
        lines += c;
        if (c == '\n') lines += "-- ";
    }
    return lines + "\n";
}

}  // namespace

std::string Definitions::qualified(const std::string& schema, const std::string& name) const {
    return connection_.identifier(schema) + "." + connection_.identifier(name);
}

std::string Definitions::type_name(std::uint32_t type, std::int32_t modifier) const {
    const auto known = types_.find({type, modifier});
    return known == types_.end() ? "text" : known->second;
}

std::string Definitions::type(const LakeColumn& column) const {
    return type_name(column.type, column.modifier);
}

std::string Definitions::column(const LakeColumn& column) const {
    return connection_.identifier(column_name(column.name, column.id)) + " " + type(column) +
           (column.not_null ? " NOT NULL" : "");
}

std::string Definitions::create_table(const std::string& name, const LakeTable& table) const {
    std::string columns;
    for (std::size_t i = 0; i < std::min(table.columns.size(), kTableColumnsMax); ++i) {
        columns += (i == 0 ? "" : ", ") + column(table.columns[i]);
    }
    return "CREATE TABLE " + name + " (" + columns + ");\n";
}

std::string Definitions::comment_on(const std::string& object, const std::string& comment) const {
    return "COMMENT ON " + object + " IS " + (comment.empty() ? "NULL" : connection_.literal(comment)) + ";\n";
}

std::string Definitions::create_view(const std::string& name, const LakeView& view) const {
    std::string columns;
    for (std::size_t i = 0; i < std::min(view.columns.size(), kViewColumnsMax); ++i) {
        const LakeColumn& column = view.columns[i];
        columns += (i == 0 ? "NULL::" : ", NULL::") + type(column) + " AS " +
                   connection_.identifier(column_name(column.name, column.id));
    }
    return "CREATE OR REPLACE VIEW " + name + " AS WITH view_of_the_lake AS (SELECT " + connection_.literal(view.sql) +
           "::pg_catalog.text AS definition) SELECT " + columns + ";\n";
}

std::string Definitions::macro_parameters(const LakeMacro& macro) const {
    std::string list;
    for (std::size_t i = 0; i < std::min(macro.parameters.size(), kArgumentsMax); ++i) {
        const MacroParameter& parameter = macro.parameters[i];
        list += (i == 0 ? "" : ", ") +
                connection_.identifier(relation_name(parameter.name, static_cast<long long>(i))) + " " +
                type_name(parameter.type, -1) + (parameter.has_default ? " DEFAULT NULL" : "");
    }
    return list;
}

std::string Definitions::macro_arguments(const LakeMacro& macro) const {
    std::string list;
    for (std::size_t i = 0; i < std::min(macro.parameters.size(), kArgumentsMax); ++i) {
        list += (i == 0 ? "" : ", ") + type_name(macro.parameters[i].type, -1);
    }
    return list;
}

std::string Definitions::create_macro(const std::string& name, const LakeMacro& macro) const {
    // Its text is DuckDB's: called here, it says so.
    const std::string body = "\n" + commented(macro.sql) +
                             "BEGIN\n    RAISE feature_not_supported USING MESSAGE = 'a macro of the lake cannot be "
                             "called in a statement about the system catalogs';\nEND";
    return "CREATE FUNCTION " + name + "(" + macro_parameters(macro) + ") RETURNS " +
           (macro.gives_table ? "SETOF record" : "text") + " LANGUAGE plpgsql STABLE AS " + connection_.literal(body) +
           ";\n";
}

}  // namespace boathouse::mirror
