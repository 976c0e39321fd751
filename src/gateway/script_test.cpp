#include "gateway/script.hpp"

#include <gtest/gtest.h>

namespace boathouse::gateway {
namespace {

TEST(Script, SplitsOutsideQuotesAndComments) {
    const auto parts = split_script("SELECT ';' ; -- one;\n SELECT $$;$$ /* ; */; ;");
    ASSERT_EQ(parts.size(), 2U);
    EXPECT_EQ(parts[0].text, "SELECT ';' ");
    EXPECT_EQ(parts[1].text.substr(0, 12), "SELECT $$;$$");
}

TEST(Script, BlankTextHasNoParts) {
    EXPECT_TRUE(split_script(" -- nothing\n /* at /* all */ */ ;").empty());
}

TEST(Script, FindsWordsThatStandByThemselves) {
    const std::string_view text = "before 'for' \"for\" (for) $$for$$ /* for */ -- for\n E'\\'for' FOR x";
    const std::size_t at = find_word(text, "for");
    ASSERT_NE(at, std::string_view::npos);
    EXPECT_EQ(text.substr(at), "FOR x");
    EXPECT_EQ(find_word("$1for", "for"), std::string_view::npos);
}

TEST(Script, ClosingParenthesis) {
    const std::string_view text = "f(1, ')', (2), $a$)$a$) rest";
    EXPECT_EQ(text.substr(closing_parenthesis(text, 1)), ") rest");
    EXPECT_EQ(closing_parenthesis("(", 0), std::string_view::npos);
}

}  // namespace
}  // namespace boathouse::gateway
