#include "catalog/tokens.hpp"

#include <gtest/gtest.h>

namespace boathouse::catalog {
namespace {

TEST(TokensTest, KnowsATokenByItsForm) {
    const std::string secret(64, 'a');
    EXPECT_TRUE(is_token("boathouse_" + secret));
    for (const std::string& other : {std::string(), std::string("boathouse_"), secret, "boathouse_" + secret + "a",
                                     "boathouse_" + secret.substr(1), "boathouse_" + secret.substr(1) + "g",
                                     "Boathouse_" + secret, " boathouse_" + secret.substr(1)})
        EXPECT_FALSE(is_token(other)) << other;
}

}  // namespace
}  // namespace boathouse::catalog
