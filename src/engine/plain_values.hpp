// The values of a prepared INSERT that are nothing but parameters, constants and casts of them: found in its plan once,
// and then made for each execution without an executor, a transaction or anything that could block.
//
// Private to src/engine/. Owned by the prepared statement whose plan it was read off; one thread at a time.
#pragma once

#include <duckdb.hpp>
#include <functional>
#include <optional>
#include <vector>

namespace boathouse::engine {

class PlainValues {
  public:
    // Nothing: the plan makes some values in another way.
    static std::optional<PlainValues> of(const duckdb::PreparedStatementData& plan);

    // The value of a parameter, $1 being number 0.
    using Decode = std::function<duckdb::Value(std::size_t)>;
    // A chunk of the plan's types. Throws what DuckDB's casts and `decode` throw; null: a value cannot be cast.
    duckdb::unique_ptr<duckdb::DataChunk> rows(duckdb::ClientContext& context, const Decode& decode) const;

  private:
    struct Source {
        std::optional<std::size_t> parameter{};    // its number; or
        duckdb::Value constant{};                  // where there is none
        duckdb::LogicalType from{};                // that the plan has for the parameter
        std::vector<duckdb::LogicalType> casts{};  // one after the other
    };
    static std::optional<Source> source_of(const duckdb::Expression& expression, const duckdb::PhysicalOperator* input,
                                           std::size_t row);
    static std::optional<Source> source_in(const duckdb::PhysicalOperator& plan, std::size_t column, std::size_t row);

    duckdb::vector<duckdb::LogicalType> types_;
    std::vector<std::vector<Source>> rows_;
};

}  // namespace boathouse::engine
