#ifndef MSAB_TESTS_BENCH_TOKEN_H_
#define MSAB_TESTS_BENCH_TOKEN_H_

#include <cstdint>
#include <string>

namespace msab::bench {

inline constexpr char kJwtSecret[] = "bench-secret-0123456789abcdef-0123456789";

// A JWT of `user`, HS256, valid for a day, with a profile of about 300 bytes.
std::string MintToken(int64_t user);

}  // namespace msab::bench

#endif  // MSAB_TESTS_BENCH_TOKEN_H_
