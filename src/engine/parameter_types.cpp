#include "engine/parameter_types.hpp"

#include <algorithm>
#include <charconv>
#include <duckdb/parser/expression/cast_expression.hpp>
#include <duckdb/parser/expression/comparison_expression.hpp>
#include <duckdb/parser/expression/constant_expression.hpp>
#include <duckdb/parser/expression/function_expression.hpp>
#include <duckdb/parser/expression/operator_expression.hpp>
#include <duckdb/parser/expression/parameter_expression.hpp>
#include <duckdb/parser/expression/subquery_expression.hpp>
#include <duckdb/parser/parsed_expression_iterator.hpp>
#include <duckdb/parser/query_node.hpp>
#include <duckdb/parser/query_node/select_node.hpp>
#include <duckdb/parser/statement/select_statement.hpp>
#include <duckdb/parser/tableref/table_function_ref.hpp>
#include <map>
#include <set>

#include "engine/parameter_values.hpp"
#include "engine/statement_walk.hpp"
#include "engine/wire_types.hpp"

namespace boathouse::engine {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;

namespace {

bool is_open(const LogicalType& type) {
    return type.id() == LogicalTypeId::UNKNOWN || type.id() == LogicalTypeId::SQLNULL ||
           type.id() == LogicalTypeId::INVALID;
}

// Text is what drivers say when they do not know.
bool is_guess(const LogicalType& type) {
    return is_open(type) || type.id() == LogicalTypeId::VARCHAR;
}

// The parameter's number if `expression` is one; 0 if not.
std::size_t number_of(const duckdb::ParsedExpression& expression) {
    if (expression.GetExpressionClass() != duckdb::ExpressionClass::PARAMETER) return 0;
    return parameter_number(expression.Cast<duckdb::ParameterExpression>().identifier);
}

void cast_parameters(duckdb::QueryNode& node, const std::vector<std::uint32_t>& types);

// $1::int[][]: PostgreSQL has one array type for any number of dimensions, and only the statement's cast tells how
// many.
bool is_cast_array(const duckdb::ParsedExpression& expression, const std::vector<std::uint32_t>& types) {
    if (expression.GetExpressionClass() != duckdb::ExpressionClass::CAST) return false;
    const auto& child = *expression.Cast<duckdb::CastExpression>().child;
    if (child.GetExpressionClass() != duckdb::ExpressionClass::PARAMETER) return false;
    const std::size_t number = parameter_number(child.Cast<duckdb::ParameterExpression>().identifier);
    return number != 0 && number <= types.size() && element_oid(types[number - 1]) != 0;
}

// x = ANY($1), which DuckDB reads as x = ANY (SELECT unnest($1)), with a parameter of which the client says nothing:
// its number, or 0. DuckDB cannot infer a list's type from what it is compared with.
std::size_t untyped_list(const duckdb::ParsedExpression& expression, const std::vector<std::uint32_t>& types) {
    if (expression.GetExpressionClass() != duckdb::ExpressionClass::FUNCTION) return 0;
    const auto& function = expression.Cast<duckdb::FunctionExpression>();
    if (function.function_name != "unnest" || function.children.size() != 1) return 0;
    const duckdb::ParsedExpression& child = *function.children[0];
    if (child.GetExpressionClass() != duckdb::ExpressionClass::PARAMETER) return 0;
    const std::size_t number = parameter_number(child.Cast<duckdb::ParameterExpression>().identifier);
    const std::uint32_t named = number != 0 && number <= types.size() ? types[number - 1] : 0;
    return logical_type(named).id() == LogicalTypeId::UNKNOWN ? number : 0;
}

// The SELECT unnest($1) of x = ANY($1); nullptr for any other subquery.
const duckdb::ParsedExpression* unnest_of(const duckdb::SubqueryExpression& subquery) {
    if (subquery.subquery_type != duckdb::SubqueryType::ANY || !subquery.child) return nullptr;
    if (subquery.subquery->node->type != duckdb::QueryNodeType::SELECT_NODE) return nullptr;
    const auto& list = subquery.subquery->node->Cast<duckdb::SelectNode>().select_list;
    return list.size() == 1 ? list[0].get() : nullptr;
}

// What such parameters are lists of, by number: as x = $1 the statement is bound once to ask what $1 is. Texts, where
// that does not tell.
std::map<std::size_t, LogicalType> list_elements(duckdb::Connection& connection, const duckdb::SQLStatement& statement,
                                                 const std::vector<std::uint32_t>& types) {
    std::map<std::size_t, LogicalType> elements;
    auto probe = statement.Copy();
    StatementVisitor visitor;
    visitor.expression = [&](ParsedPointer& expression) {
        if (const std::size_t number = untyped_list(*expression, types)) elements[number] = LogicalType::VARCHAR;
        if (expression->GetExpressionClass() != duckdb::ExpressionClass::SUBQUERY) return;
        auto& subquery = expression->Cast<duckdb::SubqueryExpression>();
        const duckdb::ParsedExpression* const unnest = unnest_of(subquery);
        if (!unnest || untyped_list(*unnest, types) == 0) return;
        ParsedPointer parameter = unnest->Cast<duckdb::FunctionExpression>().children[0]->Copy();
        expression = duckdb::make_uniq<duckdb::ComparisonExpression>(subquery.comparison_type,
                                                                     std::move(subquery.child), std::move(parameter));
    };
    walk_statement(*probe, visitor);
    if (elements.empty()) return elements;
    const auto bound = connection.Prepare(std::move(probe));
    if (bound->HasError()) return elements;
    const auto expected = bound->GetExpectedParameterTypes();
    for (auto& [number, element] : elements) {
        const auto entry = expected.find(std::to_string(number));
        if (entry == expected.end() || entry->second.id() == LogicalTypeId::UNKNOWN) continue;
        if (entry->second.id() != LogicalTypeId::SQLNULL) element = entry->second;
    }
    return elements;
}

void cast_lists(duckdb::Connection& connection, duckdb::SQLStatement& statement,
                const std::vector<std::uint32_t>& types) {
    const auto elements = list_elements(connection, statement, types);
    if (elements.empty()) return;
    StatementVisitor visitor;
    visitor.expression = [&](ParsedPointer& expression) {
        const std::size_t number = untyped_list(*expression, types);
        if (number == 0) return;
        ParsedPointer& child = expression->Cast<duckdb::FunctionExpression>().children[0];
        child = duckdb::make_uniq<duckdb::CastExpression>(LogicalType::LIST(elements.at(number)), std::move(child));
    };
    walk_statement(statement, visitor);
}

// A parameter whose type the client names becomes a cast to that type, so that DuckDB plans with it.
void cast_parameters(ParsedPointer& expression, const std::vector<std::uint32_t>& types) {
    if (expression->GetExpressionClass() == duckdb::ExpressionClass::PARAMETER) {
        const std::size_t number = parameter_number(expression->Cast<duckdb::ParameterExpression>().identifier);
        if (number == 0 || number > types.size()) return;
        const LogicalType type = logical_type(types[number - 1]);
        // Text is what drivers say when they do not know: DuckDB's own inference stays.
        if (type.id() == LogicalTypeId::UNKNOWN || type.id() == LogicalTypeId::VARCHAR) return;
        const std::string alias = expression->GetAlias();
        expression = duckdb::make_uniq<duckdb::CastExpression>(type, std::move(expression));
        expression->SetAlias(alias);
        return;
    }
    if (is_cast_array(*expression, types)) return;
    if (expression->GetExpressionClass() == duckdb::ExpressionClass::SUBQUERY) {
        cast_parameters(*expression->Cast<duckdb::SubqueryExpression>().subquery->node, types);
    }
    duckdb::ParsedExpressionIterator::EnumerateChildren(*expression,
                                                        [&](ParsedPointer& child) { cast_parameters(child, types); });
}

void cast_parameters(duckdb::QueryNode& node, const std::vector<std::uint32_t>& types) {
    duckdb::ParsedExpressionIterator::EnumerateQueryNodeChildren(
        node, [&](ParsedPointer& child) { cast_parameters(child, types); });
}

// x - x, x || x
ParsedPointer with_itself(const char* name, const duckdb::ParsedExpression& operand) {
    duckdb::vector<ParsedPointer> both;
    both.push_back(operand.Copy());
    both.push_back(operand.Copy());
    return duckdb::make_uniq<duckdb::FunctionExpression>(name, std::move(both));
}

// In the probe, $1 + x becomes what gives $1 the type that PostgreSQL takes it for: that of x, or of what is added to a
// date or a time.
class Probe {
  public:
    struct Guesses {
        bool texts = false;            // arguments of functions
        std::set<std::size_t> floats;  // parameters by number: an interval's factors and divisors
    };
    Probe(const std::vector<LogicalType>& types, const Guesses& guesses) : types_(types), guesses_(guesses) {}

    void operator()(ParsedPointer& expression) const {
        if (expression->GetExpressionClass() != duckdb::ExpressionClass::FUNCTION) return;
        auto& function = expression->Cast<duckdb::FunctionExpression>();
        if (function.function_name == "boathouse_divisor") {  // the check of x / $1
            ParsedPointer divisor = std::move(function.children[0]);
            expression = std::move(divisor);
        } else if (is_operator(function.function_name)) {
            replace_operand(expression, function);
        } else if (guesses_.texts) {
            for (ParsedPointer& argument : function.children) {
                if (is_unknown(*argument))
                    argument = duckdb::make_uniq<duckdb::CastExpression>(LogicalType::VARCHAR, std::move(argument));
            }
        }
    }

  private:
    static bool is_operator(const std::string& name) {
        static constexpr std::string_view kOperators[] = {"+", "-", "*", "/", "//", "%", "||"};
        return std::find(std::begin(kOperators), std::end(kOperators), name) != std::end(kOperators);
    }

    // Whose operands may be of different types.
    static bool is_scaling(const std::string& name) { return name == "*" || name == "/" || name == "//"; }

    bool is_unknown(const duckdb::ParsedExpression& expression) const {
        const std::size_t number = number_of(expression);
        return number != 0 && number <= types_.size() && is_guess(types_[number - 1]);
    }

    void replace_operand(ParsedPointer& expression, duckdb::FunctionExpression& function) const {
        if (function.children.size() == 1 && is_unknown(*function.children[0])) {  // -$1
            ParsedPointer operand = std::move(function.children[0]);
            expression = std::move(operand);
            return;
        }
        for (std::size_t i = 0; i < 2 && function.children.size() == 2; ++i) {
            if (!is_unknown(*function.children[i])) continue;
            ParsedPointer other = function.children[1 - i]->Copy();
            // The difference of dates is a number, that of times an interval; texts and numbers joined are a text.
            if (function.function_name == "+") other = with_itself("-", *other);
            if (function.function_name == "||") other = with_itself("||", *other);
            if (is_scaling(function.function_name) && guesses_.floats.contains(number_of(*function.children[i])))
                other = duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value::DOUBLE(1));
            duckdb::vector<ParsedPointer> choices;
            choices.push_back(std::move(function.children[i]));
            choices.push_back(std::move(other));
            ParsedPointer choice = duckdb::make_uniq<duckdb::OperatorExpression>(
                duckdb::ExpressionType::OPERATOR_COALESCE, std::move(choices));
            if (is_scaling(function.function_name)) {
                function.children[i] = std::move(choice);
            } else {
                expression = std::move(choice);
            }
            return;
        }
    }

    const std::vector<LogicalType>& types_;
    const Guesses& guesses_;
};

// What the statement's own casts say: $1::date.
void take_casts(const duckdb::SQLStatement& statement, std::vector<LogicalType>& types) {
    const auto copy = statement.Copy();
    StatementVisitor visitor;
    visitor.expression = [&](ParsedPointer& expression) {
        if (expression->GetExpressionClass() != duckdb::ExpressionClass::CAST) return;
        const auto& cast = expression->Cast<duckdb::CastExpression>();
        const std::size_t number = number_of(*cast.child);
        if (number != 0 && number <= types.size() && cast.cast_type.id() == LogicalTypeId::LIST)
            types[number - 1] = cast.cast_type;
    };
    walk_statement(*copy, visitor);
}

void learn(duckdb::PreparedStatement& bound, std::vector<LogicalType>& types) {
    for (const auto& [name, type] : bound.GetExpectedParameterTypes()) {
        const std::size_t number = parameter_number(name);
        if (number != 0 && number <= types.size() && is_guess(types[number - 1]) && !is_open(type))
            types[number - 1] = type;
    }
}

// False: the binder does not take the statement.
bool ask_binder(duckdb::Connection& connection, const duckdb::SQLStatement& statement, std::vector<LogicalType>& types,
                const Probe::Guesses& guesses) {
    auto probe = statement.Copy();
    StatementVisitor visitor;
    visitor.expression = Probe(types, guesses);
    walk_statement(*probe, visitor);
    visitor.expression = [&](ParsedPointer& expression) {
        const std::size_t number = number_of(*expression);
        if (number == 0 || number > types.size() || is_guess(types[number - 1])) return;
        expression = duckdb::make_uniq<duckdb::CastExpression>(types[number - 1], std::move(expression));
    };
    walk_statement(*probe, visitor);
    const auto bound = connection.Prepare(std::move(probe));
    if (bound->HasError()) return false;
    learn(*bound, types);
    return true;
}

// Takes for floats what the binder takes for nothing else, one by one: it is asked once for each parameter.
std::vector<LogicalType> infer_with_floats(duckdb::Connection& connection, const duckdb::SQLStatement& statement,
                                           const std::vector<LogicalType>& types) {
    constexpr std::size_t kParametersMax = 64;
    if (types.size() > kParametersMax) return types;
    Probe::Guesses guesses;
    for (std::size_t number = 1; number <= types.size(); ++number) guesses.floats.insert(number);
    std::vector<LogicalType> found = types;
    if (!ask_binder(connection, statement, found, guesses)) return types;
    for (std::size_t number = 1; number <= types.size(); ++number) {
        guesses.floats.erase(number);
        std::vector<LogicalType> fewer = types;
        if (ask_binder(connection, statement, fewer, guesses)) {
            found = std::move(fewer);
        } else {
            guesses.floats.insert(number);
        }
    }
    return found;
}

void fill_arguments(ParsedPointer& expression, const std::vector<LogicalType>& types) {
    const std::size_t number = number_of(*expression);
    if (number != 0 && number <= types.size()) {
        const LogicalType& type = types[number - 1];
        expression = duckdb::make_uniq<duckdb::ConstantExpression>(
            duckdb::Value(is_open(type) ? LogicalType(LogicalType::BIGINT) : type));
        return;
    }
    duckdb::ParsedExpressionIterator::EnumerateChildren(*expression,
                                                        [&](ParsedPointer& child) { fill_arguments(child, types); });
}

}  // namespace

// The number of "$3"; 0 if it is none.
std::size_t parameter_number(const std::string& name) {
    std::size_t number = 0;
    const char* const end = name.data() + name.size();
    return std::from_chars(name.data(), end, number).ptr == end ? number : 0;
}

void cast_parameters(duckdb::Connection& connection, duckdb::SQLStatement& statement,
                     const std::vector<std::uint32_t>& oids) {
    if (statement.named_param_map.empty()) return;
    cast_lists(connection, statement, oids);
    // In an INSERT's VALUES the column's type is the better guide.
    if (statement.type == duckdb::StatementType::SELECT_STATEMENT)
        cast_parameters(*statement.Cast<duckdb::SelectStatement>().node, oids);
}

std::vector<LogicalType> infer_parameters(duckdb::Connection& connection, const duckdb::SQLStatement& statement,
                                          const std::vector<std::uint32_t>& oids,
                                          const std::vector<LogicalType>& known) {
    std::vector<LogicalType> types = known;
    for (std::size_t i = 0; i < types.size() && i < oids.size(); ++i) {
        const LogicalType named = logical_type(oids[i]);
        if (!is_guess(named)) types[i] = named;
    }
    take_casts(statement, types);
    for (const auto& [number, element] : list_elements(connection, statement, oids)) {
        if (number <= types.size()) types[number - 1] = LogicalType::LIST(element);
    }
    if (ask_binder(connection, statement, types, {true, {}}) || ask_binder(connection, statement, types, {}))
        return types;
    return infer_with_floats(connection, statement, types);
    return types;
}

void cast_all_parameters(duckdb::SQLStatement& statement, const std::vector<LogicalType>& types) {
    std::set<const duckdb::ParsedExpression*> guesses;
    StatementVisitor visitor;
    visitor.expression = [&](ParsedPointer& expression) {
        if (expression->GetExpressionClass() == duckdb::ExpressionClass::CAST) {
            // The statement's own cast says it better.
            ParsedPointer& child = expression->Cast<duckdb::CastExpression>().child;
            if (!guesses.contains(child.get())) return;
            ParsedPointer parameter = std::move(child->Cast<duckdb::CastExpression>().child);
            child = std::move(parameter);
            return;
        }
        const std::size_t number = number_of(*expression);
        if (number == 0 || number > types.size()) return;
        const bool guess = is_open(types[number - 1]);
        const std::string alias = expression->GetAlias();
        expression = duckdb::make_uniq<duckdb::CastExpression>(
            guess ? LogicalType(LogicalType::VARCHAR) : types[number - 1], std::move(expression));
        expression->SetAlias(alias);
        if (guess) guesses.insert(expression.get());
    };
    walk_statement(statement, visitor);
}

void fill_table_functions(duckdb::SQLStatement& statement, const std::vector<LogicalType>& types) {
    StatementVisitor visitor;
    visitor.table = [&](duckdb::TableRef& reference) {
        if (reference.type != duckdb::TableReferenceType::TABLE_FUNCTION) return;
        fill_arguments(reference.Cast<duckdb::TableFunctionRef>().function, types);
    };
    walk_statement(statement, visitor);
}

}  // namespace boathouse::engine
