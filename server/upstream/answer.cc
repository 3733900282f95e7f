#include "server/upstream/answer.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <system_error>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/time/time.h"
#include "boost/json/array.hpp"
#include "boost/json/value.hpp"
#include "server/contract/json_parse.h"
#include "server/contract/json_text.h"

namespace msab {
namespace {

constexpr size_t kMaxCode = 64;
constexpr size_t kMaxReason = 200;  // characters
constexpr std::string_view kNoCode = "REJECTED";

// The longest wait that an answer can ask for: beyond any deadline, and safe to add up.
constexpr int64_t kMaxWaitMs = int64_t{24} * 3600 * 1000;

std::string_view View(const boost::json::string& text) { return {text.data(), text.size()}; }

std::string_view TextIn(const boost::json::object& object, std::string_view key) {
  const boost::json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? View(value->get_string()) : std::string_view();
}

bool IsCode(std::string_view text) {
  return !text.empty() && text.size() <= kMaxCode &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return absl::ascii_isupper(c) || absl::ascii_isdigit(c) || c == '_';
         });
}

// The first kMaxReason characters. The parser has seen to it that it is UTF-8.
std::string CutReason(std::string_view text) {
  size_t characters = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool begins = (static_cast<unsigned char>(text[i]) & 0xC0) != 0x80;
    if (begins && characters++ == kMaxReason) return std::string(text.substr(0, i));
  }
  return std::string(text);
}

Verdict ReadResult(const boost::json::object& result) {
  Verdict verdict;
  const std::string_view status = TextIn(result, "status");
  const boost::json::value* const data = result.if_contains("data");
  if (status == "accepted") {
    verdict.status = Verdict::Status::kAccepted;
    if (data != nullptr && data->is_object()) verdict.data = data->get_object();
  } else if (status == "rejected") {
    // Decided, whatever words it found for it: asking again would not change that.
    verdict.status = Verdict::Status::kRejected;
    const std::string_view code = TextIn(result, "code");
    verdict.code = IsCode(code) ? code : kNoCode;
    verdict.reason = CutReason(TextIn(result, "reason"));
  } else if (status == "retry") {
    if (const boost::json::value* after = result.if_contains("retryAfterMs")) {
      if (after->is_int64() && after->get_int64() >= 0) {
        verdict.retry_after_ms = std::min(after->get_int64(), kMaxWaitMs);
      }
    }
  }
  return verdict;
}

}  // namespace

std::optional<std::vector<Verdict>> ReadAnswer(std::string_view body,
                                               const std::vector<std::string_view>& ids) {
  boost::system::error_code error;
  const boost::json::value answer = ParseJson(body, error);
  if (error || !answer.is_object()) return std::nullopt;
  const boost::json::value* const results = answer.get_object().if_contains("results");
  if (results == nullptr || !results->is_array()) return std::nullopt;

  absl::flat_hash_map<std::string_view, size_t> places;
  for (size_t i = 0; i < ids.size(); ++i) places.emplace(ids[i], i);
  std::vector<Verdict> verdicts(ids.size());
  for (const boost::json::value& result : results->get_array()) {
    if (!result.is_object()) continue;
    const auto place = places.find(TextIn(result.get_object(), "id"));
    if (place == places.end()) continue;
    verdicts[place->second] = ReadResult(result.get_object());
    places.erase(place);
  }
  return verdicts;
}

std::optional<int64_t> ReadRetryAfter(std::string_view header, int64_t wall) {
  if (header.empty()) return std::nullopt;
  int64_t seconds = 0;
  const auto [end, error] = std::from_chars(header.data(), header.data() + header.size(), seconds);
  if (error == std::errc() && end == header.data() + header.size()) {
    return seconds < 0 ? std::nullopt : std::optional(std::min(seconds, kMaxWaitMs / 1000) * 1000);
  }
  absl::Time at;
  if (!absl::ParseTime("%a, %d %b %Y %H:%M:%S GMT", {header.data(), header.size()}, &at, nullptr)) {
    return std::nullopt;
  }
  // ParseTime knows two words of its own, which are no dates.
  if (at == absl::InfiniteFuture() || at == absl::InfinitePast()) return std::nullopt;
  return std::clamp<int64_t>(absl::ToUnixMillis(at) - wall, 0, kMaxWaitMs);
}

}  // namespace msab
