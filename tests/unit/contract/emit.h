#ifndef MSAB_TESTS_UNIT_CONTRACT_EMIT_H_
#define MSAB_TESTS_UNIT_CONTRACT_EMIT_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"
#include "msab/v1/event_service.pb.h"
#include "server/contract/catalog.h"

namespace msab {

// The time of acceptance in these tests: 2026-01-01T00:00:00Z.
inline constexpr int64_t kNow = 1'767'225'600'000;

// An emit as one writes it by hand: {"balance_updated":{"user_id":42}}.
inline v1::EmitEventRequest Request(const std::string& json) {
  v1::EmitEventRequest request;
  const auto status = google::protobuf::util::JsonStringToMessage(json, &request);
  EXPECT_TRUE(status.ok()) << status.ToString() << " in " << json;
  return request;
}

inline std::unique_ptr<const Catalog> MakeCatalog(std::vector<CustomEvent> custom = {}) {
  auto catalog = Catalog::Create(std::move(custom));
  EXPECT_TRUE(catalog.ok()) << catalog.status();
  return *std::move(catalog);
}

// The catalog of proto/ alone.
inline const Catalog& PlainCatalog() {
  static const Catalog* const catalog = MakeCatalog().release();
  return *catalog;
}

// "field: description", a line each, in their order.
inline std::vector<std::string> Lines(const std::vector<Violation>& violations) {
  std::vector<std::string> lines;
  lines.reserve(violations.size());
  for (const Violation& violation : violations) {
    lines.push_back(violation.field + ": " + violation.description);
  }
  return lines;
}

inline std::vector<std::string> Fields(const std::vector<Violation>& violations) {
  std::vector<std::string> fields;
  fields.reserve(violations.size());
  for (const Violation& violation : violations) fields.push_back(violation.field);
  return fields;
}

inline Catalog::Prepared Prepare(const std::string& json) {
  return PlainCatalog().Prepare(Request(json), kNow);
}

}  // namespace msab

#endif  // MSAB_TESTS_UNIT_CONTRACT_EMIT_H_
