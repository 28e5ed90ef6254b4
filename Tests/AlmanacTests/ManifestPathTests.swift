import Foundation
import Testing

@testable import Almanac

@Suite struct ManifestPathTests {
  /// Neither folder need be there.
  @Test(arguments: [
    ("labels.csv", "t.parquet", "labels.csv"), ("labels.csv", "out/t.parquet", "../labels.csv"),
    ("data/labels.csv", "out/deep/t.parquet", "../../data/labels.csv"), ("out/labels.csv", "out/t.parquet", "labels.csv"),
    ("./data/../labels.csv", "out/t.parquet", "../labels.csv"), ("/data/labels.csv", "out/t.parquet", "/data/labels.csv"),
    ("-", "out/t.parquet", "-"), ("labels.csv", "-", "labels.csv"),
  ]) func pathsAreRelativeToTheManifest(path: String, output: String, expected: String) {
    #expect(ManifestPath.relative(path, besides: output) == expected)
  }

  @Test func anOutputElsewhereLeadsBack() {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("almanac-paths-\(UUID().uuidString)").path
    let relative = ManifestPath.relative("labels.csv", besides: "\(folder)/t.parquet")
    let resolved = ManifestPath.resolved(relative, in: "\(folder)/t.parquet.manifest.json")
    #expect(resolved.hasPrefix("\(folder)/../"))
    let here = FileManager.default.currentDirectoryPath
    #expect(
      URL(fileURLWithPath: resolved).standardizedFileURL.path == URL(fileURLWithPath: here).resolvingSymlinksInPath().path + "/labels.csv")
  }

  @Test func pathsAreFoundFromAnywhere() {
    #expect(ManifestPath.resolved("labels.csv", in: "t.manifest.json") == "labels.csv")
    #expect(ManifestPath.resolved("../labels.csv", in: "sets/t.manifest.json") == "sets/../labels.csv")
    #expect(ManifestPath.resolved("../labels.csv", in: "/sets/t.manifest.json") == "/sets/../labels.csv")
    #expect(ManifestPath.resolved("/data/labels.csv", in: "sets/t.manifest.json") == "/data/labels.csv")
    #expect(ManifestPath.resolved("-", in: "sets/t.manifest.json") == "-")
  }
}
