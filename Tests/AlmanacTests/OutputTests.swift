import Almanac
import Columns
import Foundation
import Testing

/// Where outputs are written, and what is never written over.
@Suite struct OutputTests {
  private func expectRefusal(_ error: AlmanacError?, _ text: String) {
    #expect(error?.kind == .usage)
    #expect(error?.description == text)
    #expect(error?.hint == "Write to another file.")
  }

  /// Names that lead to one file. - Returns: them, from within the folder.
  private func names(of path: String, in workshop: Workshop) throws -> [String] {
    let base = (path as NSString).lastPathComponent
    let (hard, soft) = (workshop.path("hard-\(base)"), workshop.path("soft-\(base)"))
    #expect(link(path, hard) == 0)
    #expect(symlink(base, soft) == 0)
    return [path, "\(workshop.folder)/repository/../\(base)", hard, soft]
  }

  @Test func aLinkLeadsToTheFileThatItNames() throws {
    let workshop = try Workshop.training()
    let labels = try workshop.labels()
    // One that leads to itself, directly or not, leads nowhere.
    for (name, target) in [("loop.csv", "loop.csv"), ("there.csv", "back"), ("back", "there.csv")] {
      #expect(symlink(target, workshop.path(name)) == 0)
    }
    for name in ["loop.csv", "there.csv"] {
      let path = workshop.path(name)
      for error in [
        #expect(throws: AlmanacError.self) { _ = try Conversion.run(from: labels, to: path) },
        #expect(throws: AlmanacError.self) {
          _ = try workshop.repository.train(TrainingRequest(service: "s", labels: labels, output: path))
        },
      ] {
        #expect(error?.kind == .io)
        #expect(error?.description == "Cannot create \(path): Too many levels of symbolic links")
      }
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: path) == (name == "loop.csv" ? name : "back"))
    }
    // One to a file that is not there yet makes that file.
    #expect(symlink("made.csv", workshop.path("new.csv")) == 0)
    _ = try Conversion.run(from: labels, to: workshop.path("new.csv"))
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: workshop.path("new.csv")) == "made.csv")
    #expect(try FileBytes.of(workshop.path("made.csv")) == FileBytes.of(labels))
    #expect(symlink("\(workshop.repository.folder)/.almanac/new.csv", workshop.path("inside.csv")) == 0)
    let error = #expect(throws: AlmanacError.self) {
      try workshop.repository.train(TrainingRequest(service: "s", labels: labels, output: workshop.path("inside.csv")))
    }
    #expect(error?.kind == .usage)
  }

  @Test func labelsAreNotWrittenOver() throws {
    let workshop = try Workshop.training()
    let labels = try workshop.labels()
    let before = try FileBytes.of(labels)
    let names = try names(of: labels, in: workshop)
    for name in names {
      let error = #expect(throws: AlmanacError.self) {
        try workshop.repository.train(TrainingRequest(service: "s", labels: labels, output: name))
      }
      expectRefusal(error, "Cannot write \(name): it is the label file\(name == labels ? "" : ", \(labels)"), which is being read")
    }
    for name in names.dropFirst() {
      let error = #expect(throws: AlmanacError.self) {
        try workshop.repository.train(TrainingRequest(service: "s", labels: name, output: labels))
      }
      expectRefusal(error, "Cannot write \(labels): it is the label file, \(name), which is being read")
    }
    #expect(try FileBytes.of(labels) == before)
    #expect(!FileManager.default.fileExists(atPath: labels + ".manifest.json"))
  }

  @Test func theManifestIsNotWrittenOverLabelsEither() throws {
    let workshop = try Workshop.training()
    let labels = workshop.path("t.csv.manifest.json")
    try FileManager.default.copyItem(atPath: workshop.labels("labels.csv"), toPath: labels)
    // The name says JSON Lines, so the rows are given as such.
    _ = try Conversion.run(from: workshop.path("labels.csv"), to: workshop.path("labels.jsonl"))
    try FileManager.default.removeItem(atPath: labels)
    try FileManager.default.moveItem(atPath: workshop.path("labels.jsonl"), toPath: labels)
    let error = #expect(throws: AlmanacError.self) {
      try workshop.repository.train(TrainingRequest(service: "s", labels: labels, output: workshop.path("t.csv")))
    }
    expectRefusal(error, "Cannot write \(labels): it is the label file, which is being read")
    #expect(!FileManager.default.fileExists(atPath: workshop.path("t.csv")))
  }

  @Test func recipesDoNotWriteOverWhatTheyRead() throws {
    let workshop = try Workshop.training()
    let labels = try workshop.labels()
    _ = try workshop.repository.train(TrainingRequest(service: "s", labels: labels, output: workshop.path("t.csv")))
    let manifest = workshop.path("t.csv.manifest.json")
    let own = #expect(throws: AlmanacError.self) {
      try workshop.repository.train(recipe: RecipeRequest(manifest: manifest, output: labels))
    }
    expectRefusal(own, "Cannot write \(labels): it is the label file, which is being read")
    let over = #expect(throws: AlmanacError.self) {
      try workshop.repository.train(recipe: RecipeRequest(manifest: manifest, output: manifest))
    }
    expectRefusal(over, "Cannot write \(manifest): it is the manifest, which is being read")
    // A manifest that an earlier version wrote beside labels that it had written over.
    _ = try workshop.repository.train(recipe: RecipeRequest(manifest: manifest))
    try FileManager.default.moveItem(atPath: manifest, toPath: labels + ".manifest.json")
    let beside = #expect(throws: AlmanacError.self) {
      try workshop.repository.train(recipe: RecipeRequest(manifest: labels + ".manifest.json"))
    }
    expectRefusal(beside, "Cannot write \(labels): it is the label file, which is being read")
  }

  @Test func conversionsAreNotMadeInPlace() throws {
    let workshop = try Workshop()
    let path = try workshop.write("a.csv", "k\n1\n")
    for name in try names(of: path, in: workshop) {
      let error = #expect(throws: AlmanacError.self) { try Conversion.run(from: path, to: name) }
      expectRefusal(error, "Cannot write \(name): it is the input\(name == path ? "" : ", \(path)"), which is being read")
    }
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "k\n1\n")
  }

  @Test func theStoreIsNotWrittenInto() throws {
    let workshop = try Workshop.training()
    let store = "\(workshop.repository.folder)/.almanac"
    let leaf = try #require(
      FileManager.default.enumerator(atPath: store)?.compactMap { $0 as? String }.first { $0.hasSuffix(".parquet") })
    #expect(symlink(store, workshop.path("elsewhere")) == 0)
    for output in ["\(store)/\(leaf)", "\(store)/new.csv", workshop.path("elsewhere/new.csv")] {
      let commands: [() throws -> Void] = [
        { _ = try workshop.repository.checkout("main", "readings", to: output) },
        { _ = try workshop.repository.comparisons("main~1", "main", dataset: "readings")[0].write(to: output) },
        { _ = try workshop.repository.train(TrainingRequest(service: "s", labels: workshop.labels(), output: output)) },
      ]
      for command in commands {
        let error = #expect(throws: AlmanacError.self) { try command() }
        let real = URL(fileURLWithPath: store).resolvingSymlinksInPath().path
        #expect(error?.description == "Cannot write \(output): it lies in \(real), where the repository keeps its objects")
        #expect(error?.kind == .usage)
      }
    }
    #expect(try Repository.check(at: workshop.repository.folder).problems.isEmpty)
  }

  // MARK: Names of unfinished files

  private func list(_ workshop: Workshop) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: workshop.folder).sorted()
  }

  private func permissions(_ path: String) -> mode_t {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mode & 0o777 : 0
  }

  @Test func unfinishedFilesHaveNamesOfTheirOwn() throws {
    let workshop = try Workshop()
    let rows = Batch(schema: Schema([Field("k", .int64)]), columns: [Column(.int64, [.int(1)])], rowCount: 1)
    var seen: Set<String> = []
    for _ in 0..<2 {
      let output = try TableOutput(path: workshop.path("out.csv"), schema: rows.schema)
      let found = try list(workshop).filter { $0 != "out.csv" && $0 != "repository" }
      #expect(found.count == 1)
      #expect(found[0].wholeMatch(of: /\.almanac-[0-9a-f]{16}\.partial/) != nil, "\(found)")
      seen.formUnion(found)
      try output.write(rows)
      try output.finish()
      #expect(try list(workshop) == ["out.csv", "repository"])
    }
    #expect(seen.count == 2)
    // Nor does a long name stand in the way.
    let long = workshop.path(String(repeating: "x", count: 251) + ".csv")
    let output = try TableOutput(path: long, schema: rows.schema)
    try output.finish()
    #expect(FileManager.default.fileExists(atPath: long))
  }

  /// What a killed process left goes with the next output to that folder; what is being written, or is not ours, stays.
  @Test func leftoversGo() throws {
    let workshop = try Workshop()
    try workshop.write(".almanac-0123456789abcdef.partial", "dead")
    try workshop.write("out.csv.partial-2147483647", "dead, of an earlier version")
    let stays = [
      ".almanac-0123456789ABCDEF.partial", ".almanac-0123.partial", "other.csv.partial-2147483647", "out.csv.partial-\(getpid())",
      "out.csv.partial-x",
    ]
    for name in stays { try workshop.write(name, "other") }
    #expect(symlink("out.csv", workshop.path(".almanac-00000000000000aa.partial")) == 0)
    try FileManager.default.createDirectory(atPath: workshop.path(".almanac-00000000000000bb.partial"), withIntermediateDirectories: true)
    let running = try TableOutput(path: workshop.path("running.csv"), schema: Schema([Field("k", .int64)]))
    let before = Set(try list(workshop))
    _ = try Conversion.run(from: workshop.write("in.csv", "k\n1\n"), to: workshop.path("out.csv"))
    let gone: Set = [".almanac-0123456789abcdef.partial", "out.csv.partial-2147483647"]
    #expect(Set(try list(workshop)) == before.subtracting(gone).union(["in.csv", "out.csv"]))
    try running.finish()
    #expect(try String(contentsOfFile: workshop.path("running.csv"), encoding: .utf8) == "k\n")
  }

  /// Many writers of one folder, none of which takes another's file for one that was left.
  @Test func writersLeaveEachOtherAlone() async throws {
    let workshop = try Workshop()
    let input = try workshop.write("in.csv", "k\n1\n")
    try await withThrowingTaskGroup(of: Void.self) { group in
      for writer in 0..<8 {
        group.addTask {
          for number in 0..<25 { _ = try Conversion.run(from: input, to: workshop.path("\(writer)-\(number % 3).csv")) }
        }
      }
      try await group.waitForAll()
    }
    #expect(try list(workshop).count == 2 + 8 * 3)
  }

  @Test func permissionsAreThoseOfNewFilesOrOfTheFileThatWasThere() async throws {
    await #expect(processExitsWith: .success) {
      let workshop = try Workshop()
      let input = try workshop.write("in.csv", "k\n1\n")
      umask(0o027)
      var status = stat()
      _ = try Conversion.run(from: input, to: workshop.path("new.csv"))
      #expect(stat(workshop.path("new.csv"), &status) == 0 && status.st_mode & 0o777 == 0o640)
      _ = try workshop.write("secret.csv", "")
      chmod(workshop.path("secret.csv"), 0o600)
      _ = try Conversion.run(from: input, to: workshop.path("secret.csv"))
      #expect(stat(workshop.path("secret.csv"), &status) == 0 && status.st_mode & 0o777 == 0o600)
    }
  }

  @Test func whatIsNoFileHasNoManifestBeside() throws {
    let workshop = try Workshop.training()
    let report = try workshop.repository.train(TrainingRequest(service: "s", labels: workshop.labels(), output: workshop.path("t.csv")))
    #expect(mkfifo(workshop.path("pipe.csv"), 0o600) == 0)
    let descriptor = open(workshop.path("pipe.csv"), O_RDWR)
    defer { close(descriptor) }
    let piped = try workshop.repository.train(TrainingRequest(service: "s", labels: workshop.labels(), output: workshop.path("pipe.csv")))
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = read(descriptor, &bytes, bytes.count)
    #expect(try Data(bytes.prefix(max(0, count))) == FileBytes.of(workshop.path("t.csv")))
    #expect(piped.recipe == report.recipe)
    #expect(!FileManager.default.fileExists(atPath: workshop.path("pipe.csv.manifest.json")))
  }

  /// What has no ending needs a format, and has it in every command that writes a table.
  @Test func devicesAndPipesTakeAFormat() throws {
    let workshop = try Workshop.training()
    let csv = try FileBytes.of(workshop.write("t.csv", "k,s\n1,x\n2,\"\"\n"))
    let pipe = workshop.path("pipe")
    #expect(mkfifo(pipe, 0o600) == 0)
    let descriptor = open(pipe, O_RDWR)
    defer { close(descriptor) }
    for path in ["/dev/null", "/dev/full", pipe] {
      var request = Conversion.Request(input: workshop.path("t.csv"), output: path)
      let error = #expect(throws: AlmanacError.self) { try Conversion.run(request) }
      #expect(error?.kind == .usage)
      #expect(
        error?.description == "Cannot write \(path): its name does not end in .parquet, .arrow, .arrows, .csv, .tsv or .jsonl")
      #expect(error?.hint == "Give the output file one of these endings, or name its format with --format.")
      for format in FileFormat.allCases {
        request.format = format
        if path == "/dev/full" {
          let error = #expect(throws: AlmanacError.self) { try Conversion.run(request) }
          #expect(error?.kind == .io)
          #expect(error?.description == "Cannot write /dev/full: No space left on device")
        } else {
          #expect(try Conversion.run(request).rowCount == 2)
        }
        guard path == pipe else { continue }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = max(0, read(descriptor, &bytes, bytes.count))
        if format == .csv { #expect(Data(bytes.prefix(count)) == csv) }
        try Data(bytes.prefix(count)).write(to: URL(fileURLWithPath: workshop.path("copy")))
        #expect(try TableFile(path: workshop.path("copy")).readAll().rows == [[.int(1), .string("x")], [.int(2), .string("")]])
      }
    }
    var request = try TrainingRequest(service: "s", labels: workshop.labels(), output: "/dev/null")
    #expect(throws: AlmanacError.self) { try workshop.repository.train(request) }
    request.format = .parquet
    #expect(try workshop.repository.train(request).rowCount > 0)
  }

  @Test func standardOutputHasSeveralNames() {
    for path in ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] { #expect(TableOutput.isStandardOutput(path)) }
    for path in ["/dev/fd/2", "/dev/null", "stdout", "./-"] { #expect(!TableOutput.isStandardOutput(path)) }
  }
}
