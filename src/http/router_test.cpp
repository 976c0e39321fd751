#include "http/router.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace boathouse::http {
namespace {

using boost::beast::http::status;
using boost::beast::http::verb;
using testing::HasSubstr;

Handler says(const std::string& word) {
    return [word](const Request&) {
        Response response;
        response.body = word;
        return response;
    };
}

Request asking(verb method, const std::string& path, bool is_private = false) {
    Request request;
    request.method = method;
    request.path = path;
    request.is_private = is_private;
    return request;
}

class RouterTest : public testing::Test {
  protected:
    RouterTest() {
        router_.add({.path = "/readyz", .handler = says("readiness")});
        router_.add({.path = "/extensions/", .handler = says("a file")});
        router_.add({.path = "/ingest", .method = verb::post, .handler = says("taken")});
        router_.add({.path = "/debug", .handler = says("secrets"), .private_only = true});
    }

    // What the path's handler says, or the status of the refusal.
    std::string answer(verb method, const std::string& path, bool is_private = false) {
        const Request request = asking(method, path, is_private);
        if (const Route* route = router_.find(request)) return route->handler(request).body;
        return std::to_string(static_cast<unsigned>(router_.refuse(request).status));
    }

    Router router_;
};

TEST_F(RouterTest, FindsAPathAndEverythingBelowAFolder) {
    EXPECT_EQ(answer(verb::get, "/readyz"), "readiness");
    EXPECT_EQ(answer(verb::head, "/readyz"), "readiness");
    EXPECT_EQ(answer(verb::get, "/extensions/v1.5.5/linux_amd64/icu.duckdb_extension.gz"), "a file");
    EXPECT_EQ(answer(verb::post, "/ingest"), "taken");
}

TEST_F(RouterTest, DoesNotTakeAPrefixForThePath) {
    for (const char* path : {"/", "/ready", "/readyz/", "/readyz/x", "/extensions", "/READYZ"}) {
        EXPECT_EQ(answer(verb::get, path), "404") << path;
    }
}

TEST_F(RouterTest, HidesWhatIsPrivateFromEveryoneElse) {
    EXPECT_EQ(answer(verb::get, "/debug"), "404");
    EXPECT_EQ(answer(verb::get, "/debug", true), "secrets");
    EXPECT_EQ(answer(verb::post, "/debug", true), "405");
    EXPECT_THAT(router_.refuse(asking(verb::get, "/nowhere")).body, testing::Not(HasSubstr("/debug")));
}

TEST_F(RouterTest, SaysWhatAPathTakesInstead) {
    const Response refused = router_.refuse(asking(verb::delete_, "/readyz"));
    EXPECT_EQ(refused.status, status::method_not_allowed);
    EXPECT_THAT(refused.headers, testing::ElementsAre(testing::Pair("Allow", "GET, HEAD")));
    EXPECT_THAT(refused.body, HasSubstr("/readyz does not take DELETE"));
}

TEST_F(RouterTest, NamesWhatIsKnownWhereAPathIsNot) {
    const Response refused = router_.refuse(asking(verb::get, "/metricz"));
    EXPECT_EQ(refused.status, status::not_found);
    EXPECT_THAT(refused.body, HasSubstr("there is nothing at /metricz"));
    EXPECT_THAT(refused.body, HasSubstr("/readyz, /extensions/, /ingest"));
}

// Every kind has its status: a client decides by it whether to try again.
TEST(JsonErrorTest, AnswersWithTheStatusOfTheKind) {
    EXPECT_EQ(json_error({.kind = ErrorKind::unavailable}).status, status::service_unavailable);
    EXPECT_EQ(json_error({.kind = ErrorKind::limit}).status, status::service_unavailable);
    EXPECT_EQ(json_error({.kind = ErrorKind::permission}).status, status::forbidden);
    EXPECT_EQ(json_error({.kind = ErrorKind::not_found}).status, status::not_found);
    EXPECT_EQ(json_error({.kind = ErrorKind::conflict}).status, status::conflict);
    EXPECT_EQ(json_error({.kind = ErrorKind::internal}).status, status::internal_server_error);
}

TEST(JsonErrorTest, KeepsTheDetailForTheLogAndQuotesTheRest) {
    const Response response =
        json_error({.kind = ErrorKind::internal, .message = "a \"quoted\"\nline", .hint = "", .detail = "secret"});
    EXPECT_EQ(response.body, "{\"error\":\"a \\\"quoted\\\"\\nline\"}\n");
    EXPECT_EQ(response.content_type, "application/json");
}

}  // namespace
}  // namespace boathouse::http
