import JSON
import Testing

@testable import Features

@Suite("Definitions: knowledge")
struct KnowledgeDefinitionTests {
  private let known = oneView("{name: f, expr: amount}", extra: "knowledge: created")
  private let whole = oneView("{name: f, expr: amount}")

  @Test func knowledgeIsReadStoredAndDescribed() throws {
    let set = try parsed(known)
    #expect(set.views.map(\.knowledge) == [.created])
    #expect(
      String(decoding: set.views[0].json.canonicalBytes, as: UTF8.self)
        == #"{"entity":"user","features":[{"expr":"amount","name":"f"}],"knowledge":"created","name":"v","source":"transactions"}"#)
    #expect(try DefinitionSet(canonicalJSON: set.canonicalJSON).views == set.views)
    #expect(
      set.diff(from: try parsed(whole)) == [
        DefinitionChange(kind: .changed, object: "feature view v", details: ["knowledge: added, created"])
      ])
  }

  /// What was stored before there was such a thing has the bytes it had.
  @Test func viewsWithoutItHaveTheBytesTheyHad() throws {
    let set = try parsed(whole)
    #expect(set.views.map(\.knowledge) == [.whole])
    #expect(
      String(decoding: set.views[0].json.canonicalBytes, as: UTF8.self)
        == #"{"entity":"user","features":[{"expr":"amount","name":"f"}],"name":"v","source":"transactions"}"#)
  }

  @Test func anythingElseIsRefused() {
    #expect(
      refusal(oneView("{name: f, expr: amount}", extra: "knowledge: ref"))
        == "features/a.yaml:6:14: feature view v: knowledge is created, or left out for all that the commit holds; found 'ref'")
    #expect(
      refusal(oneView("{name: f, expr: amount}", extra: "knowledge: [created]"))
        == "features/a.yaml:6:14: feature view v: knowledge needs a text, found a list")
  }

  @Test func aDatasetWithoutCreatedTimeIsRefused() {
    var source = transactions
    source.createdTime = nil
    #expect(
      refusal(known, source: source)
        == "features/a.yaml:6:14: feature view v: knowledge: created needs to know when rows were created, and dataset transactions has "
        + "no created time; declare createdTime in its contract, or remove knowledge")
    #expect(refusal(whole, source: source) == "no error")
  }

  @Test func aCreatedTimeOutsideTheKeyIsWarnedOf() throws {
    let warning =
      "features/a.yaml:6:14: feature view v: knowledge: created is exact only when the created time is part of the primary key. Column "
      + "created is not in that of dataset transactions, so a row that is written again hides what was known before"
    #expect(try parsed(known).warnings(datasets: ["transactions": transactions]) == [warning])
    #expect(try parsed(whole).warnings(datasets: ["transactions": transactions]).isEmpty)
    var source = transactions
    source.primaryKey.append("created")
    #expect(try parsed(known).warnings(datasets: ["transactions": source]).isEmpty)
  }

  /// Without an event time the created time decides, and labels need their time.
  @Test func aViewThatKnowsByCreationIsNotTimeless() throws {
    var source = transactions
    source.eventTime = nil
    #expect(try parsed(known).compile(view: "v", source: source).isTimeless == false)
    #expect(try parsed(whole).compile(view: "v", source: source).isTimeless)
    #expect(
      refusal(oneView("{name: f, agg: count, window: 1d}", extra: "knowledge: created"), source: source).contains("has no event time"))
  }
}
