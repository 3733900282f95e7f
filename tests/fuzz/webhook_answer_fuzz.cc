// The body of the webhook's answer, and its Retry-After header.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "boost/json/serialize.hpp"
#include "server/contract/json_parse.h"
#include "server/contract/json_text.h"
#include "server/upstream/answer.h"

namespace {

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

bool IsCode(std::string_view code) {
  return !code.empty() && code.size() <= 64 && std::all_of(code.begin(), code.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto after = msab::ReadRetryAfter(text, 1'767'225'600'000);
  Require(!after || (*after >= 0 && *after <= 86'400'000), "a wait is one that can be added up");

  const auto verdicts = msab::ReadAnswer(text, {"c1", "c2", "c3"});
  if (!verdicts) return 0;
  Require(verdicts->size() == 3, "there is a verdict for each");
  for (const msab::Verdict& verdict : *verdicts) {
    switch (verdict.status) {
      case msab::Verdict::Status::kAccepted: {
        // What is passed on to clients is JSON.
        boost::system::error_code error;
        msab::ParseJson(boost::json::serialize(verdict.data), error);
        Require(!error, "the data can be written and read");
        break;
      }
      case msab::Verdict::Status::kRejected: {
        Require(IsCode(verdict.code), "a code is one of the contract");
        const auto characters = msab::CountCharacters(verdict.reason);
        Require(characters && *characters <= 200, "a reason is text of 200 characters at most");
        break;
      }
      case msab::Verdict::Status::kRetry:
        Require(!verdict.retry_after_ms ||
                    (*verdict.retry_after_ms >= 0 && *verdict.retry_after_ms <= 86'400'000),
                "a wait is one that can be added up");
        break;
    }
  }
  return 0;
}
