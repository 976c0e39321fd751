#include "config/options.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace boathouse::config {
namespace {

// The bytes of Settings that the table's rows stand for, a field each.
std::size_t bytes_of(const Option& option) {
    if (is_number(option)) return sizeof(std::int64_t);
    if (is_secret(option)) return sizeof(Secret);
    return is_boolean(option) ? alignof(std::string) : sizeof(std::string);  // a bool is padded to its neighbour
}

TEST(Options, EveryNameIsUsedOnce) {
    std::set<std::string_view> names;
    for (const Option& option : options()) {
        EXPECT_TRUE(names.insert(option.key).second) << option.key;
        if (!option.flag.empty()) {
            EXPECT_TRUE(names.insert(option.flag).second) << option.flag;
        }
        for (const auto variable : option.environment) {
            EXPECT_TRUE(names.insert(variable).second) << variable;
        }
    }
}

TEST(Options, EveryFieldOfSettingsHasARow) {
    std::size_t bytes = 0;
    for (const Option& option : options()) bytes += bytes_of(option);
    EXPECT_EQ(bytes, sizeof(Settings)) << "a field of Settings has no row, or a row has a field twice";
}

TEST(Options, EveryRowHasAFieldOfItsOwn) {
    const auto& table = options();
    for (std::size_t i = 0; i < table.size(); ++i) {
        for (std::size_t j = i + 1; j < table.size(); ++j) {
            EXPECT_FALSE(table[i].member == table[j].member) << table[i].key << " and " << table[j].key;
        }
    }
}

TEST(Options, RowsAreWhole) {
    for (const Option& option : options()) {
        EXPECT_FALSE(option.prose.empty()) << option.key;
        EXPECT_FALSE(option.example.empty()) << option.key;
        EXPECT_FALSE(option.group.empty()) << option.key;
        EXPECT_FALSE(option.environment.empty()) << option.key;
        EXPECT_EQ(option.prose.back(), '.') << option.key;
        if (is_number(option)) {
            EXPECT_LT(option.min, option.max) << option.key;
        }
    }
}

TEST(Options, DefaultsAndExamplesKeepTheirOwnBounds) {
    for (const Option& option : options()) {
        Settings settings;
        EXPECT_TRUE(set_value(option, std::string(option.default_text), settings)) << option.key;
        EXPECT_EQ(get_value(option, settings), option.default_text) << option.key;
        EXPECT_TRUE(set_value(option, std::string(option.example), settings)) << option.key;
        EXPECT_EQ(get_value(option, settings), option.example) << option.key;
    }
}

TEST(Options, SecretsHaveNoFlag) {
    for (const Option& option : options()) {
        // The catalog's URL is private only if a password is in it, and such a one is refused as a flag.
        if (is_secret(option) && option.key != "catalog") {
            EXPECT_TRUE(option.flag.empty()) << option.key;
        }
        if (!is_secret(option)) {
            EXPECT_FALSE(option.flag.empty()) << option.key;
        }
    }
}

TEST(Options, NumbersAreWholeAndWithinBounds) {
    const Option& port = *find_option("catalog_port");
    Settings settings;
    for (const char* text : {"", " 1", "1 ", "1.5", "0x10", "five", "+5"}) {
        const Status status = set_value(port, text, settings);
        ASSERT_FALSE(status) << text;
        EXPECT_NE(status.error().message.find("is not a whole number"), std::string::npos) << text;
    }
    for (const char* text : {"0", "-1", "65536", "99999999999999999999999"}) {
        const Status status = set_value(port, text, settings);
        ASSERT_FALSE(status) << text;
        EXPECT_NE(status.error().message.find("is not between 1 and 65535"), std::string::npos) << text;
    }
    EXPECT_TRUE(set_value(port, "65535", settings));
    EXPECT_EQ(settings.catalog_port, 65535);
}

TEST(Options, ChoicesAreNamedWhenNoneWasMeant) {
    Settings settings;
    const Status status = set_value(*find_option("tls"), "maybe", settings);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().message, "'maybe' is not one of off, on or require");
}

}  // namespace
}  // namespace boathouse::config
