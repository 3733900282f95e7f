// Prints the contract without configuration.
#include <iostream>

#include "server/contract/catalog.h"

int main() {
  const auto catalog = msab::Catalog::Create({});
  if (!catalog.ok()) {
    std::cerr << catalog.status() << '\n';
    return 1;
  }
  std::cout << (*catalog)->PrintContract();
}
