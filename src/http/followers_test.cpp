#include "http/followers.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace boathouse::http {
namespace {

TEST(Followers, AreBoundedForEachUserAndForAll) {
    Followers followers;
    std::vector<std::shared_ptr<void>> places;
    for (std::size_t i = 0; i < Followers::kMax; ++i) {
        places.push_back(followers.take_place("user" + std::to_string(i / Followers::kOfOneUserMax)));
        ASSERT_NE(places.back(), nullptr) << i;
        if (i + 1 == Followers::kOfOneUserMax) {
            EXPECT_EQ(followers.take_place("user0"), nullptr);
        }
    }
    EXPECT_EQ(followers.take_place("another"), nullptr);
    places.pop_back();
    EXPECT_EQ(followers.count(), Followers::kMax - 1);
    EXPECT_NE(followers.take_place("another"), nullptr);
}

}  // namespace
}  // namespace boathouse::http
