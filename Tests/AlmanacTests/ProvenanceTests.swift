import Almanac
import Foundation
import History
import JSON
import Testing

/// What a commit records of where its rows come from.
@Suite struct ProvenanceTests {
  private let first = "k,at,a\n1,2026-01-05T00:00:00Z,10\n"

  private func start() throws -> Workshop {
    let workshop = try Workshop()
    try workshop.apply(EvolvingContract([("a", "int32")]))
    try workshop.upsert(first)
    return workshop
  }

  private func commit(_ workshop: Workshop, _ provenance: Provenance) throws -> History.Commit {
    let rows = try workshop.write("next.csv", "k,at,a\n\(try workshop.repository.log().count),2026-01-05T00:00:00Z,1\n")
    let report = try workshop.repository.commit(
      [CommitInput(dataset: "t", path: rows)], mode: .append, message: "next", provenance: provenance)
    return try workshop.repository.commit(#require(report.commit))
  }

  @Test func inputsAreFilesAndVersions() throws {
    let workshop = try start()
    let id = try workshop.repository.resolve("main")
    let notes = try workshop.write("notes.txt", "hello\n")
    try workshop.repository.createTag("v1", at: nil)
    let made = try commit(workshop, Provenance(inputs: [notes, "v1", "t@main", "t@v1"]))
    let root = try workshop.root(at: "v1")
    #expect(
      Array(made.inputs.dropFirst()) == [
        [
          "file": "notes.txt", "bytes": 6,
          "sha256": "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03",
        ],
        ["commit": .string(id.description)],
        ["source": "t", "commit": .string(id.description), "root": .string(root)],
        ["source": "t", "commit": .string(id.description), "root": .string(root)],
      ])
    #expect(made.inputs[0]["file"] == "next.csv")
    #expect(made.inputs[0]["dataset"] == "t")
  }

  @Test func producerAndParametersAreRecorded() throws {
    let workshop = try start()
    let made = try commit(workshop, Provenance(producer: "clean.py", parameters: [("threshold", "0.5"), ("day", "2026-01-05")]))
    #expect(
      made.producer == [
        "program": "clean.py", "almanac": .string(AlmanacVersion.text),
        "parameters": ["command": "commit", "mode": "append", "threshold": "0.5", "day": "2026-01-05"],
      ])
    #expect(
      try commit(workshop, Provenance()).producer == [
        "program": "almanac", "version": .string(AlmanacVersion.text), "parameters": ["command": "commit", "mode": "append"],
      ])
  }

  @Test(arguments: [
    (
      Provenance(inputs: ["nothing"]), AlmanacError.Kind.notFound,
      "Cannot record input nothing: it is neither a file nor a branch, tag, commit or DATASET@REVISION of this repository"
    ),
    (
      Provenance(inputs: ["u@main"]), .notFound,
      "Cannot record input u@main: it is neither a file nor a branch, tag, commit or DATASET@REVISION of this repository"
    ),
    (Provenance(parameters: [("a", "1"), ("a", "2")]), .usage, "Cannot record parameter a: it is given twice"),
    (Provenance(parameters: [("mode", "1")]), .usage, "Cannot record parameter mode: the command sets it itself"),
  ]) func whatCannotBeRecordedIsRefused(provenance: Provenance, kind: AlmanacError.Kind, text: String) throws {
    let workshop = try start()
    let before = try workshop.state()
    let error = #expect(throws: AlmanacError.self) { try commit(workshop, provenance) }
    #expect(error?.kind == kind)
    #expect(error?.description == text)
    #expect(try workshop.state() == before)
  }

  private let oid = "0123456789abcdef0123456789abcdef01234567"

  /// The files of a git repository around the workshop, made by hand: no git is needed to read HEAD.
  @Test func theCodeRevisionIsReadFromLooseAndPackedRefs() throws {
    let workshop = try start()
    let git = "\(workshop.folder)/.git"
    let files = FileManager.default
    try files.createDirectory(atPath: "\(git)/refs/heads", withIntermediateDirectories: true)
    func revision() throws -> JSON? { try commit(workshop, Provenance()).producer["code"]?["revision"] }
    #expect(try revision() == nil, "a folder without HEAD")
    try workshop.write(".git/HEAD", "ref: refs/heads/work\n")
    #expect(try revision() == nil, "a branch without a commit")
    try workshop.write(".git/packed-refs", "# pack-refs with: peeled\n\(oid) refs/heads/work\n")
    #expect(try revision() == .string(oid))
    let loose = String(oid.reversed())
    try workshop.write(".git/refs/heads/work", "\(loose)\n")
    #expect(try revision() == .string(loose))
    try workshop.write(".git/HEAD", "\(oid)\n")
    #expect(try revision() == .string(oid))
    // A linked worktree keeps its HEAD elsewhere, and refs with the main one.
    try files.moveItem(atPath: git, toPath: workshop.path("main.git"))
    try files.createDirectory(atPath: workshop.path("main.git/worktrees/w"), withIntermediateDirectories: true)
    try workshop.write("main.git/worktrees/w/HEAD", "ref: refs/heads/work\n")
    try workshop.write("main.git/worktrees/w/commondir", "../..\n")
    try workshop.write(".git", "gitdir: main.git/worktrees/w\n")
    #expect(try revision() == .string(loose))
    try workshop.write(".git", "not what git writes\n")
    #expect(try revision() == nil)
  }

  /// With git at hand, also whether tracked files have changed.
  @Test func changedFilesMakeTheRevisionDirty() throws {
    func git(_ workshop: Workshop, _ arguments: [String]) -> Bool {
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      process.arguments = ["git", "-C", workshop.folder, "-c", "user.name=a", "-c", "user.email=a@b.c"] + arguments
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      guard (try? process.run()) != nil else { return false }
      process.waitUntilExit()
      return process.terminationStatus == 0
    }
    let workshop = try start()
    try workshop.write("code.py", "1\n")
    guard git(workshop, ["init", "-q"]), git(workshop, ["add", "code.py"]), git(workshop, ["commit", "-q", "-m", "x"]) else {
      // Without git only HEAD can be read.
      #expect(try commit(workshop, Provenance()).producer["code"]?["dirty"] == nil)
      return
    }
    let clean = try #require(commit(workshop, Provenance()).producer["code"])
    #expect(clean["revision"]?.stringValue?.count == 40)
    #expect(clean["dirty"] == false)
    try workshop.write("code.py", "2\n")
    #expect(try commit(workshop, Provenance()).producer["code"]?["dirty"] == true)
    // A folder elsewhere is looked at only when the repository lies in none.
    let other = try start()
    #expect(try commit(other, Provenance()).producer["code"] == nil)
    #expect(try commit(other, Provenance(workingFolder: workshop.folder)).producer["code"]?["dirty"] == true)
  }
}
