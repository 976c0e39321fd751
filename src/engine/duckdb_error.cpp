#include "engine/duckdb_error.hpp"

#include <charconv>

namespace boathouse::engine {

using duckdb::ErrorData;
using duckdb::ExceptionType;

namespace {

std::string info(const ErrorData& error, const char* key) {
    const auto entry = error.ExtraInfo().find(key);
    return entry == error.ExtraInfo().end() ? std::string() : entry->second;
}

bool mentions(const ErrorData& error, std::string_view words) {
    return error.RawMessage().find(words) != std::string::npos;
}

const char* catalog_state(const ErrorData& error) {
    const std::string subtype = info(error, "error_subtype");
    const std::string type = info(error, "type");
    if (mentions(error, "Column with name")) return mentions(error, "already exists") ? "42701" : "42703";
    if (mentions(error, " - column ") && mentions(error, "does not exist")) return "42703";
    if (mentions(error, "Cannot change type of column")) return "42804";
    if (mentions(error, "trying to drop type") || mentions(error, "trying to replace with type")) return "42809";
    if (mentions(error, "Cannot SET NOT NULL")) return "55000";
    if (mentions(error, "Cannot drop")) return "2BP01";
    if (subtype == "ENTRY_ALREADY_EXISTS" || mentions(error, "already exists")) {
        return type == "Schema" ? "42P06" : "42P07";
    }
    if (subtype == "MISSING_ENTRY" || mentions(error, "does not exist")) {
        if (type == "Schema") return "3F000";
        if (type.find("Function") != std::string::npos || type.find("Macro") != std::string::npos) return "42883";
        if (type == "Type" || type == "Collation" || type == "configuration parameter") return "42704";
        return "42P01";
    }
    return mentions(error, "not supported") ? "0A000" : "42P01";
}

const char* binder_state(const ErrorData& error) {
    const std::string subtype = info(error, "error_subtype");
    if (mentions(error, "not yet supported")) return "0A000";
    if (error.RawMessage().starts_with("Schema \"") && mentions(error, "not found")) return "3F000";
    if (subtype == "COLUMN_NOT_FOUND") return "42703";
    if (subtype == "NO_MATCHING_FUNCTION") return "42883";
    if (mentions(error, "already exists")) return "42P07";
    if (mentions(error, "calls cannot be nested") || mentions(error, "cannot contain aggregates")) return "42803";
    if (subtype == "UNSUPPORTED") return "0A000";
    if (mentions(error, "Ambiguous reference")) return "42702";
    if (mentions(error, "does not have a column with name") || mentions(error, "Referenced update column"))
        return "42703";
    if (mentions(error, "does not have a column named") || mentions(error, "not found in FROM clause")) return "42703";
    if (mentions(error, "must appear in the GROUP BY")) return "42803";
    if (mentions(error, "Referenced table") || mentions(error, "not found")) return "42P01";
    if (mentions(error, "Cannot compare") || mentions(error, "type")) return "42804";
    return "42601";
}

const char* transaction_state(const ErrorData& error) {
    if (mentions(error, "onflict") || mentions(error, "Exceeded the maximum retry count of")) return "40001";
    if (mentions(error, "aborted")) return "25P02";
    if (mentions(error, "read-only")) return "25006";
    return "25000";
}

const char* constraint_state(const ErrorData& error) {
    if (mentions(error, "NOT NULL")) return "23502";
    if (mentions(error, "CHECK")) return "23514";
    if (mentions(error, "uplicate key") || mentions(error, "nique")) return "23505";
    return "23000";
}

const char* io_state(const ErrorData& error) {
    if (mentions(error, "No space left")) return "53100";
    if (mentions(error, "ransaction conflict")) return "40001";
    return "58030";
}

const char* conversion_state(const ErrorData& error) {
    if (mentions(error, "field value out of range")) return "22008";
    if (mentions(error, "field format:")) return "22007";
    if (mentions(error, "out of range") || mentions(error, "overflow")) return "22003";
    if (mentions(error, "Could not cast value") && mentions(error, "to DECIMAL(")) return "22003";
    return "22P02";
}

const char* range_state(const ErrorData& error) {
    if (mentions(error, "cannot take square root")) return "2201F";
    return mentions(error, "cannot take logarithm") ? "2201E" : "22003";
}

const char* state_of(const ErrorData& error) {
    switch (error.Type()) {
        case ExceptionType::OUT_OF_RANGE:
        case ExceptionType::DECIMAL:
            return range_state(error);
        case ExceptionType::CONVERSION:
            return conversion_state(error);
        case ExceptionType::UNKNOWN_TYPE:
            return "42704";
        case ExceptionType::MISMATCH_TYPE:
        case ExceptionType::INVALID_TYPE:
            return "42804";
        case ExceptionType::DIVIDE_BY_ZERO:
            return "22012";
        case ExceptionType::OBJECT_SIZE:
            return "54000";
        case ExceptionType::TRANSACTION:
            return transaction_state(error);
        case ExceptionType::NOT_IMPLEMENTED:
            return "0A000";
        case ExceptionType::CATALOG:
            return catalog_state(error);
        case ExceptionType::PARSER:
        case ExceptionType::SYNTAX:
        case ExceptionType::EXPRESSION:
            return "42601";
        case ExceptionType::CONSTRAINT:
            return constraint_state(error);
        case ExceptionType::CONNECTION:
        case ExceptionType::NETWORK:
        case ExceptionType::HTTP:
            return "08006";
        case ExceptionType::SETTINGS:
        case ExceptionType::INVALID_CONFIGURATION:
            return "22023";
        case ExceptionType::BINDER:
            return binder_state(error);
        case ExceptionType::IO:
            return io_state(error);
        case ExceptionType::INTERRUPT:
            return "57014";
        case ExceptionType::INVALID_INPUT:
            if (mentions(error, "not supported")) return "0A000";
            return mentions(error, "cannot affect row a second time") || mentions(error, "More than one row returned")
                       ? "21000"
                       : "22023";
        case ExceptionType::OUT_OF_MEMORY:
            // Spilling stops before the disk is full.
            return mentions(error, "max_temp_directory_size") ? "53100" : "53200";
        case ExceptionType::PERMISSION:
            return "42501";
        case ExceptionType::PARAMETER_NOT_RESOLVED:
            return "42P18";
        case ExceptionType::PARAMETER_NOT_ALLOWED:
            return "42P02";
        case ExceptionType::DEPENDENCY:
            return "2BP01";
        case ExceptionType::MISSING_EXTENSION:
        case ExceptionType::AUTOLOAD:
            return "0A000";
        case ExceptionType::SEQUENCE:
            return "2200H";
        case ExceptionType::INVALID:
        case ExceptionType::SERIALIZATION:
        case ExceptionType::PLANNER:
        case ExceptionType::SCHEDULER:
        case ExceptionType::EXECUTOR:
        case ExceptionType::INDEX:
        case ExceptionType::STAT:
        case ExceptionType::OPTIMIZER:
        case ExceptionType::NULL_POINTER:
        case ExceptionType::FATAL:
        case ExceptionType::INTERNAL:
            return "XX000";
    }
    return "XX000";
}

// DuckDB looks for a name like the one that is not there in the system catalogs too, where nobody meant to look.
bool guesses_wrong(const QueryError& error) {
    return error.sqlstate == "42P01" &&
           (error.hint.starts_with("Did you mean \"pg_") || error.hint.starts_with("Did you mean \"duckdb_") ||
            error.hint.find("__ducklake_metadata") != std::string::npos);
}

// What helps when memory (53200), or the disk that takes what does not fit there (53100), has run out.
std::string advice_on(const std::string& sqlstate) {
    if (sqlstate == "53100")
        return "Free space on the disk of the box's data directory, or sort, join and aggregate less at once.";
    return "Sort, join and aggregate less at once; the operator can raise memory_limit_mb, or lower sql_running_max.";
}

// How the box's own errors begin theirs (Error::text), as they come out of its functions.
constexpr std::string_view kHint = "Hint: ";

}  // namespace

QueryError to_query_error(const ErrorData& thrown, const Scrubber& scrubber) {
    // As JSON the error carries its position; as text it would have a caret drawn into its message.
    const bool is_json = thrown.RawMessage().starts_with("{\"exception_type\"");
    const ErrorData error = is_json ? ErrorData(thrown.RawMessage()) : thrown;
    QueryError result{state_of(error), scrubber.for_client(error.RawMessage())};
    if (error.Type() == ExceptionType::INTERRUPT) return interruption();
    // What DuckDB adds in further lines is advice.
    const std::size_t line_end = result.message.find('\n');
    if (line_end != std::string::npos) {
        result.hint = result.message.substr(result.message.find_first_not_of("\n\t ", line_end));
        if (result.hint.starts_with(kHint)) result.hint.erase(0, kHint.size());
        result.message.resize(line_end);
        if (guesses_wrong(result)) result.hint.clear();
    }
    // DuckDB's advice is of settings that are the operator's.
    if (error.Type() == ExceptionType::OUT_OF_MEMORY) result.hint = advice_on(result.sqlstate);
    const std::string position = info(error, "position");
    std::size_t offset = 0;
    if (!position.empty() &&
        std::from_chars(position.data(), position.data() + position.size(), offset).ec == std::errc()) {
        result.position = offset + 1;
    }
    return result;
}

QueryError to_query_error(const syntax::Refusal& refusal) {
    QueryError result{refusal.sqlstate, refusal.message};
    result.hint = refusal.hint;
    result.position = refusal.offset + 1;
    return result;
}

}  // namespace boathouse::engine
