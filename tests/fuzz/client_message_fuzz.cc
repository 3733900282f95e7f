// One text message of a client, as the native dialect reads it.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "boost/json/parse.hpp"
#include "boost/json/serialize.hpp"
#include "server/contract/json_parse.h"
#include "server/protocol/native_dialect.h"

namespace {

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

boost::json::value Parsed(std::string_view text) {
  boost::system::error_code error;
  boost::json::value value = boost::json::parse({text.data(), text.size()}, error);
  Require(!error, "a frame of ours is JSON");
  return value;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const msab::NativeDialect dialect;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const msab::ClientMessage message = dialect.Decode(text);
  if (message.kind == msab::ClientMessage::Kind::kMalformed) {
    Require(!message.fault.empty() && message.fault.size() <= 123, "a fault fits a close frame");
    return 0;
  }
  // What was taken is what the text says.
  boost::system::error_code error;
  const boost::json::value whole = msab::ParseJson(text, error);
  Require(!error, "what was taken is JSON");
  Require(whole.at("event").as_string() == message.event, "the event is the text's");
  const boost::json::value* const id = whole.as_object().if_contains("id");
  Require(message.id.has_value() == (id != nullptr), "an id is taken where there is one");
  Require(id == nullptr || id->as_int64() == *message.id, "the id is the text's");
  const boost::json::value* const given = whole.as_object().if_contains("data");
  Require(message.data == (given != nullptr ? *given : boost::json::value()),
          "the data is the text's");

  // An answer that quotes the client comes out as JSON, under the same id.
  if (!message.id) return 0;
  const msab::FramePtr refusal = dialect.Reply(
      *message.id,
      msab::CommandError{"UNKNOWN_EVENT", message.event, 1, boost::json::serialize(message.data)});
  const boost::json::value answer = Parsed(refusal->text());
  Require(answer.at("reply").as_int64() == *message.id, "the answer has the id");
  Require(answer.at("error").at("message").as_string() == message.event, "the message is whole");
  return 0;
}
