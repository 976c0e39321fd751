// Operators and constants whose spelling DuckDB's parser lacks or gives another meaning.
//
// They become operators that DuckDB's parser takes for functions of that name, which engine/postgres_operators.cpp
// knows:
//   ~  !~            →  @~  !@~            (DuckDB's ~ asks whether the whole text matches)
//   SIMILAR TO       →  @~~  !@~~
//   [NOT] LIKE ANY   →  ~~@|  ~~@&  !~~@|  !~~@&  and ILIKE likewise with ~~*
//   #>  #>>  #-      →  @~/>  @~/>>  @~/-  (# and ? begin something else in DuckDB)
//   ?  ?|  ?&        →  @~!  @~!|  @~!&
//   #                →  @^
// Bit strings, which DuckDB reads as texts with the letter in them, become casts.
#include <array>
#include <optional>

#include "syntax/families.hpp"

namespace boathouse::syntax {

namespace {

struct Operator {
    std::string_view postgres;
    const char* duckdb;
};

constexpr std::array kOperators = {
    Operator{"~", "@~"},      Operator{"!~", "!@~"},  Operator{"#>", "@~/>"},
    Operator{"#>>", "@~/>>"}, Operator{"#-", "@~/-"}, Operator{"?", "@~!"},
    Operator{"?|", "@~!|"},   Operator{"?&", "@~!&"}, Operator{"#", "@^"},
};

// Whether an operand ends with the token, so that an operator after it stands between two.
bool ends_operand(const Token& token) {
    switch (token.kind) {
        case PG_QUERY__TOKEN__IDENT:
        case PG_QUERY__TOKEN__ICONST:
        case PG_QUERY__TOKEN__FCONST:
        case PG_QUERY__TOKEN__SCONST:
        case PG_QUERY__TOKEN__USCONST:
        case PG_QUERY__TOKEN__UIDENT:
        case PG_QUERY__TOKEN__BCONST:
        case PG_QUERY__TOKEN__XCONST:
        case PG_QUERY__TOKEN__PARAM:
        case PG_QUERY__TOKEN__ASCII_41:  // )
        case PG_QUERY__TOKEN__ASCII_93:  // ]
        case PG_QUERY__TOKEN__END_P:
        case PG_QUERY__TOKEN__NULL_P:
        case PG_QUERY__TOKEN__TRUE_P:
        case PG_QUERY__TOKEN__FALSE_P:
        case PG_QUERY__TOKEN__CURRENT_DATE:
        case PG_QUERY__TOKEN__CURRENT_USER:
            return true;
        case PG_QUERY__TOKEN__BY:  // ORDER BY #1, DuckDB's
            return false;
        default:
            return token.is_name;
    }
}

void rewrite_operator(Draft& draft, std::size_t index) {
    const Token& token = draft.tokens[index];
    if (index == 0 || !ends_operand(draft.tokens[index - 1])) return;
    for (const Operator& op : kOperators) {
        if (draft.word(token) == op.postgres) draft.splices.replace(token.begin, token.end, op.duckdb);
    }
}

bool is_kind(const Draft& draft, std::size_t index, PgQuery__Token kind) {
    return index < draft.tokens.size() && draft.tokens[index].kind == kind;
}

bool is_not(const Draft& draft, std::size_t index) {
    return is_kind(draft, index, PG_QUERY__TOKEN__NOT) || is_kind(draft, index, PG_QUERY__TOKEN__NOT_LA);
}

// [NOT] LIKE ANY (…): `index` is LIKE's or ILIKE's.
void rewrite_pattern_list(Draft& draft, std::size_t index) {
    const bool any =
        is_kind(draft, index + 1, PG_QUERY__TOKEN__ANY) || is_kind(draft, index + 1, PG_QUERY__TOKEN__SOME);
    const bool all = is_kind(draft, index + 1, PG_QUERY__TOKEN__ALL);
    if ((!any && !all) || !is_kind(draft, index + 2, PG_QUERY__TOKEN__ASCII_40)) return;
    const bool negated = index > 0 && is_not(draft, index - 1);
    const bool folds = draft.tokens[index].kind == PG_QUERY__TOKEN__ILIKE;
    std::string op = std::string(negated ? "!" : "") + "~~" + (folds ? "*" : "") + (any ? "@|" : "@&");
    // A query gives its rows as a list.
    if (is_kind(draft, index + 3, PG_QUERY__TOKEN__SELECT)) op += " ARRAY";
    const std::size_t first = negated ? index - 1 : index;
    draft.splices.replace(draft.tokens[first].begin, draft.tokens[index + 1].end, op);
}

Step rewrite_similar(Draft& draft, std::size_t index) {
    if (!is_kind(draft, index + 1, PG_QUERY__TOKEN__TO)) return {};
    const bool negated = index > 0 && is_not(draft, index - 1);
    if (is_kind(draft, index + 3, PG_QUERY__TOKEN__ESCAPE)) {
        return Refusal{"0A000", "SIMILAR TO … ESCAPE is not supported", "Use ~ with a regular expression.",
                       draft.tokens[index + 3].begin};
    }
    const std::size_t first = negated ? index - 1 : index;
    draft.splices.replace(draft.tokens[first].begin, draft.tokens[index + 1].end, negated ? "!@~~" : "@~~");
    return {};
}

// b'101' and x'1F': PostgreSQL's bit strings.
Step rewrite_bits(Draft& draft, const Token& token) {
    const std::string_view digits = draft.word(token).substr(2, token.end - token.begin - 3);
    std::string bits;
    for (const char digit : digits) {
        if (token.kind == PG_QUERY__TOKEN__BCONST) {
            bits += digit;
            continue;
        }
        const int value = digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
        if (value < 0 || value > 15)
            return Refusal{"22P02", "\"" + std::string(1, digit) + "\" is not a valid hexadecimal digit", "",
                           token.begin};
        for (int bit = 3; bit >= 0; --bit) bits += (value >> bit & 1) != 0 ? '1' : '0';
    }
    draft.splices.replace(token.begin, token.end, "CAST('" + bits + "' AS BIT)");
    return {};
}

}  // namespace

Step rewrite_operators(Draft& draft) {
    for (std::size_t index = 0; index < draft.tokens.size(); ++index) {
        const Token& token = draft.tokens[index];
        switch (token.kind) {
            case PG_QUERY__TOKEN__Op:
            case PG_QUERY__TOKEN__ASCII_63:  // ?
                rewrite_operator(draft, index);
                break;
            case PG_QUERY__TOKEN__LIKE:
            case PG_QUERY__TOKEN__ILIKE:
                rewrite_pattern_list(draft, index);
                break;
            case PG_QUERY__TOKEN__SIMILAR:
                if (Step step = rewrite_similar(draft, index); !step) return step;
                break;
            case PG_QUERY__TOKEN__BCONST:
            case PG_QUERY__TOKEN__XCONST:
                if (Step step = rewrite_bits(draft, token); !step) return step;
                break;
            default:
                break;
        }
    }
    return {};
}

}  // namespace boathouse::syntax
