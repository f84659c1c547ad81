// Runs a fuzz target over its seeds, each whole and cut off at every byte, without a fuzzer: what
// was found once stays found, with any compiler.

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
  int files = 0;
  for (int i = 1; i < argc; ++i) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[i])) {
      if (!entry.is_regular_file()) continue;
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string seed{std::istreambuf_iterator<char>(file), {}};
      for (std::size_t size = 0; size <= seed.size(); ++size) {
        const std::string exact(seed, 0, size);  // its end is the heap's: sanitizers see overreads
        LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(exact.data()), exact.size());
      }
      ++files;
    }
  }
  std::printf("%d seeds replayed\n", files);
  return files == 0 ? 1 : 0;
}
