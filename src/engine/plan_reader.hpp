// One walk over a bound plan, to its needs: plan_needs.hpp says what for.
//
// Private to src/engine/. Lives while one plan is read; one thread.
#pragma once

#include <duckdb.hpp>
#include <duckdb/planner/logical_operator.hpp>
#include <duckdb/planner/operator/logical_get.hpp>
#include <optional>

#include "access/needs.hpp"
#include "engine/plan_needs.hpp"

namespace boathouse::engine {

// The table function that stands for a view; its one argument is the view's place in a list.
inline constexpr const char* kViewColumns = "boathouse_view_columns";

class PlanReader {
  public:
    // `present`: entries that are known to be the lake's of now, which need not be looked up.
    PlanReader(duckdb::ClientContext& context, const BoundText& text, std::vector<const duckdb::CatalogEntry*> present)
        : context_(context), text_(text), present_(std::move(present)) {}

    void read(duckdb::LogicalOperator& op);

    // Whether a table function may be there for others than members of lake_admin.
    static bool is_known_function(const std::string& name);

    const access::Needs& needs() const { return needs_; }
    const std::vector<access::Made>& made() const { return made_; }
    // Which views stand in the plan, by their place in the list, with the columns that are used.
    const std::vector<std::pair<std::size_t, access::RelationNeed>>& views() const { return views_; }

  private:
    void read_operator(duckdb::LogicalOperator& op);
    void read_expressions(duckdb::LogicalOperator& op);
    void read_subqueries(duckdb::Expression& expression);
    void read_get(duckdb::LogicalGet& get);
    void read_scan(duckdb::LogicalGet& get, duckdb::TableCatalogEntry& table);
    void read_function(duckdb::LogicalGet& get);
    void read_insert(duckdb::LogicalOperator& op);
    void read_update(duckdb::LogicalOperator& op);
    void read_delete(duckdb::LogicalOperator& op);
    void read_merge(duckdb::LogicalOperator& op);
    void read_create(const duckdb::CreateInfo& info, duckdb::optional_ptr<duckdb::SchemaCatalogEntry> schema);
    void read_drop(const duckdb::LogicalOperator& op);
    void read_alter(const duckdb::LogicalOperator& op);

    void add(access::RelationNeed need);
    // False: the table is not the lake's.
    bool note(duckdb::TableCatalogEntry& table);
    access::RelationNeed need_on(duckdb::TableCatalogEntry& table, access::Privilege privilege);
    void need_owner(duckdb::CatalogType type, const std::string& catalog, const std::string& schema,
                    const std::string& name);
    // The scan of the table that a statement changes reads all columns; what the client reads of it is in the text.
    void read_target(duckdb::LogicalOperator& op, duckdb::TableCatalogEntry& table);
    void keeper(const std::string& what) {
        if (needs_.keeper.empty()) needs_.keeper = what;
    }

    duckdb::ClientContext& context_;
    const BoundText& text_;
    const std::vector<const duckdb::CatalogEntry*> present_;
    access::Needs needs_;
    std::vector<access::Made> made_;
    std::vector<std::pair<std::size_t, access::RelationNeed>> views_;
    const duckdb::LogicalGet* target_ = nullptr;  // the scan of the table that is changed
};

}  // namespace boathouse::engine
