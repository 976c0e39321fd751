#include "syntax/token.hpp"

#include <algorithm>
#include <memory>
#include <string>

namespace boathouse::syntax {

namespace {

struct FreeScan {
    PgQueryScanResult result;
    ~FreeScan() { pg_query_free_scan_result(result); }
};

struct FreeTokens {
    void operator()(PgQuery__ScanResult* tokens) const { pg_query__scan_result__free_unpacked(tokens, nullptr); }
};

bool is_comment(PgQuery__Token kind) {
    return kind == PG_QUERY__TOKEN__SQL_COMMENT || kind == PG_QUERY__TOKEN__C_COMMENT;
}

// Tokens that add no level of their own to a tree.
bool is_flat(PgQuery__Token kind) {
    switch (kind) {
        case PG_QUERY__TOKEN__IDENT:
        case PG_QUERY__TOKEN__ICONST:
        case PG_QUERY__TOKEN__FCONST:
        case PG_QUERY__TOKEN__SCONST:
        case PG_QUERY__TOKEN__PARAM:
        case PG_QUERY__TOKEN__ASCII_46:  // .
            return true;
        default:
            return false;
    }
}

// What lies between one opening parenthesis and its closing one.
struct Level {
    std::size_t chained = 0;   // set operations and joins: each holds what stands before it
    std::size_t current = 0;   // since the last comma, AND, OR, WHEN, THEN or ELSE: their operands lie side by side
    std::size_t deepest = 0;   // of `current`, in the operands before
    std::size_t betweens = 0;  // whose AND is still to come

    std::size_t depth() const { return chained + std::max(current, deepest); }
    void next_operand() {
        deepest = std::max(deepest, current);
        current = 0;
        betweens = 0;
    }
};

class NestingCounter {
  public:
    void take(PgQuery__Token kind) {
        Level& level = levels_.back();
        switch (kind) {
            case PG_QUERY__TOKEN__ASCII_40:  // (
            case PG_QUERY__TOKEN__ASCII_91:  // [
            case PG_QUERY__TOKEN__CASE:
                open();
                break;
            case PG_QUERY__TOKEN__ASCII_41:  // )
            case PG_QUERY__TOKEN__ASCII_93:  // ]
            case PG_QUERY__TOKEN__END_P:
                close();
                break;
            case PG_QUERY__TOKEN__UNION:
            case PG_QUERY__TOKEN__EXCEPT:
            case PG_QUERY__TOKEN__INTERSECT:
            case PG_QUERY__TOKEN__JOIN:
                ++level.chained;
                level.next_operand();
                break;
            case PG_QUERY__TOKEN__ASCII_59:  // ;
                level.next_operand();
                level.deepest = std::max(level.deepest, level.depth());
                level.chained = 0;
                break;
            case PG_QUERY__TOKEN__BETWEEN:
                ++level.betweens;
                ++level.current;
                break;
            case PG_QUERY__TOKEN__AND:
                if (level.betweens > 0) {
                    --level.betweens;
                    break;
                }
                [[fallthrough]];
            case PG_QUERY__TOKEN__OR:
            case PG_QUERY__TOKEN__ASCII_44:  // ,
                level.next_operand();
                break;
            case PG_QUERY__TOKEN__WHEN:
            case PG_QUERY__TOKEN__THEN:
            case PG_QUERY__TOKEN__ELSE:
                level.next_operand();
                ++level.current;
                break;
            default:
                if (!is_flat(kind)) ++level.current;
        }
        deepest_ = std::max(deepest_, outside_ + levels_.back().depth());
    }

    std::size_t deepest() const { return deepest_; }

  private:
    static std::size_t around(const Level& level) { return level.chained + level.current + 1; }

    void open() {
        outside_ += around(levels_.back());
        levels_.emplace_back();
    }

    void close() {
        if (levels_.size() == 1) return;
        const std::size_t inner = levels_.back().depth() + 1;
        levels_.pop_back();
        outside_ -= around(levels_.back());
        levels_.back().current += inner;  // what follows may hold all of it
    }

    std::vector<Level> levels_{Level{}};
    std::size_t outside_ = 0;  // the depth at which the innermost level begins
    std::size_t deepest_ = 0;
};

}  // namespace

std::optional<std::vector<Token>> scan(std::string_view text) {
    const FreeScan scanned{pg_query_scan(std::string(text).c_str())};
    if (scanned.result.error) return std::nullopt;
    const std::unique_ptr<PgQuery__ScanResult, FreeTokens> list(pg_query__scan_result__unpack(
        nullptr, scanned.result.pbuf.len, reinterpret_cast<const std::uint8_t*>(scanned.result.pbuf.data)));
    if (!list) return std::nullopt;
    std::vector<Token> tokens;
    tokens.reserve(list->n_tokens);
    for (std::size_t i = 0; i < list->n_tokens; ++i) {
        const PgQuery__ScanToken& token = *list->tokens[i];
        if (is_comment(token.token)) continue;
        const bool is_name = token.keyword_kind == PG_QUERY__KEYWORD_KIND__UNRESERVED_KEYWORD;
        tokens.push_back(
            {token.token, static_cast<std::size_t>(token.start), static_cast<std::size_t>(token.end), is_name});
    }
    return tokens;
}

std::size_t nesting_of(const std::vector<Token>& tokens) {
    NestingCounter counter;
    for (const Token& token : tokens) counter.take(token.kind);
    return counter.deepest();
}

}  // namespace boathouse::syntax
