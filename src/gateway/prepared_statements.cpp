#include "gateway/prepared_statements.hpp"

namespace boathouse::gateway {

using engine::Outcome;
using engine::QueryError;

Outcome<void> PreparedStatements::check_new(const std::string& name) const {
    if (!name.empty() && by_name_.contains(name))
        return QueryError{"42P05", "prepared statement \"" + name + "\" already exists"};
    if (by_name_.size() >= kPreparedStatementsMax)
        return QueryError{"53400", "this session holds " + std::to_string(kPreparedStatementsMax) +
                                       " prepared statements: DEALLOCATE some"};
    return {};
}

void PreparedStatements::add(const std::string& name, std::shared_ptr<PreparedStatement> statement) {
    by_name_[name] = std::move(statement);
}

Outcome<std::shared_ptr<PreparedStatement>> PreparedStatements::find(const std::string& name) const {
    const auto entry = by_name_.find(name);
    if (entry != by_name_.end()) return entry->second;
    return QueryError{"26000", name.empty() ? std::string("unnamed prepared statement does not exist")
                                            : "prepared statement \"" + name + "\" does not exist"};
}

}  // namespace boathouse::gateway
