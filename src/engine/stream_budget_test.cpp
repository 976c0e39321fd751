#include "engine/stream_budget.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace boathouse::engine {
namespace {

TEST(StreamBudget, GivesFewStreamsMuchAndManyLittle) {
    StreamBudget budget(200'000'000);
    std::vector<StreamBudget::Share> shares;
    for (int i = 0; i < 100; ++i) shares.push_back(budget.take());
    EXPECT_EQ(shares.front().bytes(), StreamBudget::kShareBytesMax);
    EXPECT_EQ(shares.back().bytes(), StreamBudget::kShareBytesMin);
    std::size_t given = 0;
    for (const StreamBudget::Share& share : shares) given += share.bytes();
    EXPECT_LE(given, 200'000'000 + 100 * StreamBudget::kShareBytesMin);
}

TEST(StreamBudget, TakesBackWhatEnded) {
    StreamBudget budget(130'000'000);
    {
        std::vector<StreamBudget::Share> shares;
        for (int i = 0; i < 200; ++i) shares.push_back(budget.take());
        EXPECT_EQ(budget.take().bytes(), StreamBudget::kShareBytesMin);
        StreamBudget::Share first = std::move(shares.front());
        EXPECT_EQ(first.bytes(), StreamBudget::kShareBytesMax);
        EXPECT_EQ(shares.front().bytes(), 0U);
    }
    EXPECT_EQ(budget.take().bytes(), StreamBudget::kShareBytesMax);
    const StreamBudget::Share again = budget.take();
    EXPECT_EQ(again.bytes(), StreamBudget::kShareBytesMax);
}

}  // namespace
}  // namespace boathouse::engine
