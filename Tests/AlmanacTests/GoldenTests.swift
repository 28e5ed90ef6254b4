import Almanac
import Columns
import Foundation
import History
import JSON
import Tables
import Testing

/// Repositories of every format version, made once by scripts/make-golden.sh: what was written then is read the same for ever.
@Suite struct GoldenTests {
  static var folders: [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: Fixtures.path("golden"))) ?? []
    return names.sorted().filter { !$0.hasPrefix(".") && !$0.hasSuffix("-tails") }
  }

  /// A copy, as opening a repository may write to it.
  private func open(_ name: String, in workshop: Workshop) throws -> Repository {
    let copy = workshop.path(name)
    try FileManager.default.copyItem(atPath: Fixtures.path("golden/\(name)"), toPath: copy)
    try FileManager.default.moveItem(atPath: "\(copy)/store", toPath: "\(copy)/.almanac")
    return try Repository.open(at: copy)
  }

  private func expected(_ name: String) throws -> [(ref: String, show: JSON)] {
    let folder = Fixtures.path("golden/\(name)/expected")
    return try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map { ref in
      (ref, try JSON(parsing: Array(FileBytes.of("\(folder)/\(ref)/show.json"))))
    }
  }

  @Test(.enabled(if: !folders.isEmpty, "no golden repository has been made yet"), arguments: folders)
  func commitsAndRowsAreWhatTheyWere(name: String) throws {
    let workshop = try Workshop()
    let repository = try open(name, in: workshop)
    let expected = try expected(name)
    #expect(expected.map(\.ref) == ["main", "side", "v1", "v2", "v3", "v4"])
    for (ref, show) in expected {
      let id = try repository.resolve(ref)
      #expect(id.description == show["id"]?.stringValue)
      let commit = try repository.commit(id)
      #expect(try repository.logEntry(id, commit)["datasets"] == show["datasets"])
      #expect(JSON.array(commit.inputs) == show["inputs"])
      #expect(commit.producer == show["producer"])
      for dataset in commit.datasets.keys.sorted() {
        let file = workshop.path("\(ref)-\(dataset).csv")
        _ = try repository.checkout(ref, dataset, to: file)
        let bytes = try FileBytes.of(file)
        #expect(try bytes == FileBytes.of(Fixtures.path("golden/\(name)/expected/\(ref)/\(dataset).csv")), "\(ref) \(dataset)")
      }
    }
    #expect(try repository.log("v4").count == repository.log("main").count)
    #expect(try repository.lineage("training", direction: .up).runs.first?.commit.message == "train: save training")
    // It can be written to as well.
    let more = try workshop.write("more.csv", "at,what\n2026-04-01T00:00:00Z,later\n")
    let report = try repository.commit([CommitInput(dataset: "events", path: more)], mode: .append, message: "later")
    #expect(report.datasets.map(\.rowCount) == [4])
    #expect(try repository.apply(plan: true).changes.isEmpty, "the folder's files say what is registered")
  }

  /// Law 1 over time: today's program gives the rows of then the roots of then.
  @Test(.enabled(if: !folders.isEmpty, "no golden repository has been made yet"), arguments: folders)
  func rowsWrittenTodayHaveTheRootsOfThen(name: String) throws {
    let workshop = try Workshop()
    let repository = try open(name, in: workshop)
    let archive = workshop.repository.archive
    var comparedCount = 0
    for (ref, _) in try expected(name) {
      for (dataset, reference) in try repository.commit(repository.resolve(ref)).datasets {
        let version = try repository.table(dataset, at: repository.resolve(ref))
        guard try version.isCanonical() else { continue }
        let written = try TableWriter(archive: archive, layout: version.layout).apply(.append, version.read(), onto: nil)
        guard case .content(let content) = written else {
          Issue.record("the rows of \(dataset) at \(ref) conflict")
          continue
        }
        var draft = archive.draft()
        #expect(content.addRoot(to: &draft) == reference.root, "\(ref) \(dataset)")
        comparedCount += 1
      }
    }
    #expect(comparedCount >= 10)
  }
}
