#include "http/exposition.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace boathouse::http {
namespace {

TEST(ExpositionTest, DescribesAMetricOnceBeforeItsSamples) {
    Exposition exposition;
    exposition.counter("restarts_total", "Times a process was started again.", 2, {{"process", "postgres"}});
    exposition.counter("restarts_total", "Times a process was started again.", 0, {{"process", "engine"}});
    exposition.gauge("up", "Whether it answers.", 1);
    EXPECT_EQ(exposition.text(),
              "# HELP restarts_total Times a process was started again.\n"
              "# TYPE restarts_total counter\n"
              "restarts_total{process=\"postgres\"} 2\n"
              "restarts_total{process=\"engine\"} 0\n"
              "# HELP up Whether it answers.\n"
              "# TYPE up gauge\n"
              "up 1\n");
}

TEST(ExpositionTest, EscapesWhatALabelMayNotHold) {
    Exposition exposition;
    exposition.gauge("path", "h", 1, {{"a", "C:\\x \"y\"\nz"}, {"b", "plain"}});
    EXPECT_NE(exposition.text().find("path{a=\"C:\\\\x \\\"y\\\"\\nz\",b=\"plain\"} 1\n"), std::string::npos)
        << exposition.text();
}

TEST(ExpositionTest, WritesNumbersWithoutLosingAny) {
    Exposition exposition;
    exposition.gauge("large", "h", 9'007'199'254'740'991.0);
    exposition.gauge("small", "h", 0.1);
    exposition.gauge("negative", "h", -3);
    EXPECT_NE(exposition.text().find("\nlarge 9007199254740991\n"), std::string::npos) << exposition.text();
    EXPECT_NE(exposition.text().find("\nsmall 0.1\n"), std::string::npos) << exposition.text();
    EXPECT_NE(exposition.text().find("\nnegative -3\n"), std::string::npos) << exposition.text();
}

TEST(ExpositionTest, AppendsAnotherAsItStands) {
    Exposition first;
    first.gauge("a", "h", 1);
    Exposition second;
    second.gauge("b", "h", 2);
    const std::string expected = first.text() + second.text();
    first.append(second);
    EXPECT_EQ(first.text(), expected);
}

}  // namespace
}  // namespace boathouse::http
