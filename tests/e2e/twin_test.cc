// The JSON twin of the gRPC service: what is its own, as an HTTP service.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/e2e/harness/raw_socket.h"
#include "tests/e2e/harness/relay_test.h"
#include "tests/e2e/harness/twin_door.h"

namespace msab::e2e {
namespace {

class TwinTest : public RelayTest {
 protected:
  TwinDoor Twin(const std::string& key = kApiKey) { return TwinDoor(relay(), key); }
};

TEST_F(TwinTest, TakesBothSpellingsAndPrintsZeros) {
  const HttpResponse response =
      Twin().Post("/v1/events:emit", R"({"eventId":"e-1","target":{"userId":"7"},)"
                                     R"("agencyDissolved":{"agency_id":1,"agency_name":"A"}})");
  EXPECT_EQ(response.status, 200) << response.body;
  const Json body = ParseJson(response.body);
  EXPECT_EQ(Text(body, "event_id"), "e-1");
  for (const char* key : {"cursor", "duplicate", "superseded", "expired"}) {
    EXPECT_TRUE(Has(body, key)) << key;
  }
  EXPECT_EQ(At(body, "recipients"),
            ParseJson(R"({"users_targeted":1,"users_online":0,"connections":0})"));
}

TEST_F(TwinTest, RefusesUnknownFieldsAndBrokenJson) {
  for (const std::string& body :
       {std::string(R"({"balance_updated":{"user_id":1,"gems":"5"}})"),
        std::string(R"({"to":{"user_id":1}})"), std::string(R"({"balance_updated":{"user_id":1})"),
        std::string("[]"), std::string("null"), std::string(""), std::string("\xff\xfe"),
        std::string(R"({"balance_updated":{"user_id":1},"asset_invalidate":{"asset_ids":["a"]}})"),
        std::string(R"({"balance_updated":{"user_id":1.5}})"),
        std::string(R"({"balance_updated":{"user_id":true}})"),
        std::string(R"({"balance_updated":{"user_id":1,"coins":5}})"),
        std::string(R"({"occurred_at":"yesterday","balance_updated":{"user_id":1}})"),
        std::string(100'000, '[')}) {
    const Answer answer = FromTwin(Twin().Post("/v1/events:emit", body));
    EXPECT_EQ(answer.http_status, 400) << body.substr(0, 100);
    EXPECT_EQ(answer.code, kInvalidArgument) << body.substr(0, 100);
  }
}

TEST_F(TwinTest, KnowsItsPathsBeforeItAsksForAKey) {
  EXPECT_EQ(Twin("").Get("/v1/nothing").status, 404);
  EXPECT_EQ(Twin("").Post("/v1/events:emitAll", "{}").status, 404);
  EXPECT_EQ(Twin("").Get("/v1/cursor").status, 401);
  EXPECT_EQ(Twin("").Get("/v1/contract").status, 401);
  EXPECT_EQ(Twin().Get("/v1/events:emit").status, 405);
}

TEST_F(TwinTest, ShowsTheContractThatTheCommandLinePrints) {
  const HttpResponse response = Twin().Get("/v1/contract");
  ASSERT_EQ(response.status, 200);
  const Json contract = ParseJson(response.body);
  EXPECT_THAT(Text(contract, "asyncapi"), testing::StartsWith("3."));
  EXPECT_FALSE(Text(At(contract, "info"), "version").empty());
  const RunResult printed = RunRelay({.arguments = {"--print-contract"}});
  EXPECT_EQ(printed.exit_code, 0) << printed.errors;
  EXPECT_EQ(printed.output, response.body) << "to the byte: it may be hashed";
}

TEST_F(TwinTest, AgreesWithGrpcOnTheCursor) {
  Emit(Marker(1, 1));
  EXPECT_EQ(Twin().GetCursor().cursor, door().GetCursor().cursor);
}

// What HTTP clients do without being asked: connections kept, bodies in chunks, permission asked.
class TwinHttpTest : public TwinTest {
 protected:
  static std::string Head(const std::string& more) {
    return absl::StrCat("POST /v1/events:emit HTTP/1.1\r\nHost: relay\r\nAuthorization: Bearer ",
                        kApiKey, "\r\nContent-Type: application/json\r\n", more, "\r\n");
  }

  RawSocket Connect() { return RawSocket(relay().host(), relay().http_port()); }

  // The next response, whose length is given by its head.
  static HttpResponse Next(RawSocket& socket) {
    const size_t end = socket.ReadThrough("\r\n\r\n");
    if (end == std::string::npos) return {};
    const HttpResponse head = ParseHttpHead(socket.buffer().substr(0, end));
    const auto length = head.headers.find("content-length");
    const size_t size = length != head.headers.end() ? std::stoul(length->second) : 0;
    socket.ReadAtLeast(end + size);
    return ParseHttpResponse(socket.Take(end + size));
  }
};

TEST_F(TwinHttpTest, KeepsAConnectionForTheNextCall) {
  RawSocket socket = Connect();
  const std::string body = Marker(1, 1);
  const std::string request = Head(absl::StrCat("Content-Length: ", body.size(), "\r\n")) + body;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(socket.Send(request));
    EXPECT_EQ(Next(socket).status, 200);
  }
  socket.Send(request + request);  // both at once
  EXPECT_EQ(Next(socket).status, 200);
  EXPECT_EQ(Next(socket).status, 200);
}

TEST_F(TwinHttpTest, ARefusalDoesNotEndTheConnection) {
  RawSocket socket = Connect();
  socket.Send(Head("Content-Length: 2\r\n") + "{}");
  EXPECT_EQ(Next(socket).status, 400);
  const std::string body = Marker(1, 1);
  socket.Send(Head(absl::StrCat("Content-Length: ", body.size(), "\r\n")) + body);
  EXPECT_EQ(Next(socket).status, 200);
}

TEST_F(TwinHttpTest, TakesABodyInChunks) {
  RawSocket socket = Connect();
  const std::string body = Marker(1, 1);
  socket.Send(Head("Transfer-Encoding: chunked\r\n"));
  for (const std::string& part : {body.substr(0, 10), body.substr(10)}) {
    socket.Send(absl::StrCat(absl::Hex(part.size()), "\r\n", part, "\r\n"));
  }
  socket.Send("0\r\n\r\n");
  EXPECT_EQ(Next(socket).status, 200);
}

TEST_F(TwinHttpTest, LetsAClientContinue) {
  RawSocket socket = Connect();
  const std::string body = Marker(1, 1);
  socket.Send(Head(absl::StrCat("Expect: 100-continue\r\nContent-Length: ", body.size(), "\r\n")));
  EXPECT_EQ(Next(socket).status, 100);
  socket.Send(body);
  EXPECT_EQ(Next(socket).status, 200);
}

TEST_F(TwinHttpTest, RefusesABodyByItsAnnouncement) {
  RawSocket socket = Connect();
  socket.Send(Head("Content-Length: 999999999\r\n"));
  const HttpResponse response = Next(socket);
  EXPECT_EQ(response.status, 413);
  EXPECT_EQ(FromTwin(response).code, kResourceExhausted);
}

}  // namespace
}  // namespace msab::e2e
