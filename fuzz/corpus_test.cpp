// Every input that the fuzzers have kept, or that once broke something, once more, in every build.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "targets.hpp"

namespace boathouse::fuzz {
namespace {

struct Target {
    const char* name;
    void (*run)(std::string_view);
};

class Corpus : public testing::TestWithParam<Target> {};

TEST_P(Corpus, Replays) {
    const std::filesystem::path directory = std::filesystem::path(BOATHOUSE_FUZZ_CORPUS) / GetParam().name;
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
        SCOPED_TRACE(entry.path().string());
        std::ifstream file(entry.path(), std::ios::binary);
        const std::string bytes{std::istreambuf_iterator<char>(file), {}};
        GetParam().run(bytes);
        ++count;
    }
    EXPECT_GT(count, 0U) << directory << " is empty";
}

INSTANTIATE_TEST_SUITE_P(Fuzz, Corpus,
                         testing::Values(Target{"frontend", frontend}, Target{"copy_text", copy_text},
                                         Target{"copy_csv", copy_csv}, Target{"copy_binary", copy_binary},
                                         Target{"parameters", parameters}),
                         [](const auto& target) { return std::string(target.param.name); });

}  // namespace
}  // namespace boathouse::fuzz
